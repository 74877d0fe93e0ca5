"""What explanations are made of: a model, its test rows, and which of them are looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.explainers.mixing import predicted
from platform_ml.spec.attribution import LOG_ODDS
from platform_ml.spec.fingerprint import digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.engine.rows import SplitRows
    from platform_ml.spec.explanation import Explanation, Known
    from platform_ml.spec.family import Predictor
    from platform_ml.spec.metric import Metric

    Numbers = NDArray[np.float64]
    Places = NDArray[np.int64]

DIGITS = 6
LEAST_CHANCE = 1e-7
"""Nearer to 0 or 1 a probability has no log odds that mean anything in 32 bits."""


@dataclass(frozen=True, kw_only=True)
class Explained:
    """A model on its test rows."""

    declared: Explanation
    predictor: Predictor
    test: SplitRows
    train: pa.Table
    """Features of the training rows."""
    prediction: Numbers
    """Of all test rows."""
    metric: Metric
    slices: Mapping[tuple[str, str], Places | None]
    """(column, value) → the test rows of a slice; None: all."""
    seed: str

    def drawn(self, what: str) -> int:
        """A seed of its own for each purpose."""
        return int(digest([self.seed, self.declared.seed, what])[:16], 16)

    @property
    def sample(self) -> Places:
        """The test rows that are looked at: evenly over the split, of a ranking whole groups."""
        import numpy as np

        test, most = self.test, self.declared.rows
        if test.group is None or len(test.label) <= most:
            return thinned(np.arange(len(test.label)), most)
        groups, sizes = np.unique(test.group, return_counts=True)
        many = max(1, int(len(groups) * most / sizes.sum()))
        return np.flatnonzero(np.isin(test.group, thinned(groups, many)))

    @property
    def background(self) -> pa.Table:
        """Training rows that stand for all others."""
        import numpy as np

        most = min(self.declared.background, self.train.num_rows)
        places = np.random.default_rng(self.drawn("background")).choice(self.train.num_rows, most, replace=False)
        return self.train.take(np.sort(places))

    @property
    def output(self) -> int:
        """Of several classes the one that most test rows are of; else the only one."""
        import numpy as np

        classes = self.test.classes
        return int(np.bincount(self.test.label.astype(np.int64), minlength=len(classes)).argmax()) if classes else 0

    def predicted(self, places: Places) -> Numbers:
        """(n, outputs) of test rows that are put together column by column, see `mixed`."""
        return predicted(self.predictor, self.test.features, places)


def thinned(places: Places, most: int) -> Places:
    """At most so many, evenly spread."""
    import numpy as np

    return places[np.linspace(0, len(places) - 1, min(most, len(places))).round().astype(np.int64)]


def in_unit(prediction: Numbers, unit: str) -> Numbers:
    """(n, outputs) predictions in the unit of contributions."""
    import numpy as np

    if unit != LOG_ODDS:
        return prediction
    chance = np.clip(prediction, LEAST_CHANCE, 1 - LEAST_CHANCE)
    if chance.shape[1] == 1:
        return np.asarray(np.log(chance) - np.log1p(-chance))
    return np.asarray(np.log(chance) - np.log(chance).mean(axis=1, keepdims=True))


def as_predicted(outputs: Numbers, unit: str) -> Numbers:
    """(n, outputs) what contributions add up to, in the unit of predictions."""
    import numpy as np
    from scipy.special import expit, softmax

    if unit != LOG_ODDS:
        return outputs
    return np.asarray(expit(outputs) if outputs.shape[1] == 1 else softmax(outputs, axis=1))


def known(column: pa.ChunkedArray) -> list[Known]:
    """Values as they are shown: numbers, texts, of a list its length."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_boolean(kind):
        return [None if one is None else str(one).lower() for one in column.to_pylist()]
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return [None if one is None else float(one) for one in pc.list_value_length(column).to_pylist()]
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        found = column.cast("double", safe=False).to_pylist()
        return [None if one is None or one != one else short(one) for one in found]  # noqa: PLR0124 - NaN
    return [None if one is None else str(one) for one in column.to_pylist()]


def short(number: float) -> float:
    """So many digits as mean something; the rest would only make the numbers long."""
    return float(f"{number:.{DIGITS}g}")
