"""The rule of thumb: sort by one column."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.families.inputs import check_known_somewhere, check_label, column
from platform_ml.spec.complexity import Complexity
from platform_ml.spec.errors import StoreError
from platform_ml.spec.task import BINARY, RANKING, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.spec.family import Rows

KNOTS = 1_001
"""Values that a ranking remembers: between two of them it interpolates, so that the order of all rows is exact."""

PERCENT = 100


@dataclass(frozen=True, kw_only=True)
class SingleFeature:
    """The greater a feature, the likelier a 1, or the more relevant (`descending`: the smaller); null is first of all.

    The score is the row's percentile among the training rows, from 0 to 100: good for ranking, and plainly not a
    probability, so that losses of probabilities are not defined on it.
    """

    name: ClassVar[str] = "single_feature"
    complexity: ClassVar[Complexity] = Complexity.RULE
    tasks: ClassVar[tuple[Task, ...]] = (BINARY, RANKING)

    feature: str
    descending: bool = False

    def columns(self) -> tuple[str, ...] | None:
        """The one feature."""
        return (self.feature,)

    def fit(
        self,
        train: Rows,
        validation: Rows,
        *,
        params: Mapping[str, Any],
        seed: int,
        report: Callable[[int, float], None] | None = None,
    ) -> Ranking:
        """Remember how the feature is distributed in `train`; the labels are not used."""
        import numpy as np

        check_label(train, "train")
        values = column(train.features, self.feature)
        check_known_somewhere(values[:, None], [self.feature])
        found, counts = np.unique(self._sign * values[~np.isnan(values)], return_counts=True)
        middle = (np.cumsum(counts) - counts / 2) / (counts.sum() + 1)
        kept = np.unique(np.linspace(0, len(found) - 1, min(KNOTS, len(found))).astype(np.int64))
        return Ranking(
            feature=self.feature, sign=self._sign, knots=tuple(found[kept].tolist()), ranks=tuple(middle[kept].tolist())
        )

    def load(self, file: Path, features: Sequence[str]) -> Ranking:
        """Read the ranking back."""
        try:
            plain = json.loads(file.read_text(encoding="utf-8"))
            ranking = Ranking(
                feature=plain["feature"], sign=plain["sign"], knots=tuple(plain["knots"]), ranks=tuple(plain["ranks"])
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{file} holds no ranking ({error!r}). Materialize the model again.") from error
        if (ranking.feature, ranking.sign) != (self.feature, self._sign):
            raise StoreError(f"{file} ranks by {ranking.feature!r}, not as declared now. Materialize the model again.")
        return ranking

    @property
    def _sign(self) -> int:
        return -1 if self.descending else 1


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """A feature's distribution in the training rows: increasing values and the share of rows below each."""

    feature: str
    sign: int
    knots: tuple[float, ...]
    ranks: tuple[float, ...]

    def predict(self, rows: pa.Table) -> NDArray[np.float64]:
        """(n,) from 0 to 100; values outside of what was seen in training keep their order, nulls are 100."""
        import numpy as np

        values = self.sign * column(rows, self.feature)
        first, last = self.knots[0], self.knots[-1]
        span = last - first or 1.0
        score = np.interp(values, self.knots, self.ranks)
        below, above = values < first, values > last
        score[below] = self.ranks[0] / (1 + (first - values[below]) / span)
        score[above] = 1 - (1 - self.ranks[-1]) / (1 + (values[above] - last) / span)
        score[np.isnan(values)] = 1.0
        return np.asarray(PERCENT * score, dtype=np.float64)

    def save(self, folder: Path) -> Path:
        """Write `model.json`."""
        file = folder / "model.json"
        plain = {"feature": self.feature, "sign": self.sign, "knots": self.knots, "ranks": self.ranks}
        file.write_text(json.dumps(plain, allow_nan=False), encoding="utf-8")
        return file

    def contributions(self, rows: pa.Table) -> NDArray[np.float64] | None:
        """All of it is due to the one feature, so there is nothing to divide."""
        return None
