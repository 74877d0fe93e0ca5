"""What the metrics at a threshold have in common: rows from it on are selected, and the four kinds of rows counted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.task import BINARY, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Groups = NDArray[np.int64]

HALF = 0.5


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many rows of each of `b` resamples are what, each (b,)."""

    true_positives: Numbers
    false_positives: Numbers
    false_negatives: Numbers
    true_negatives: Numbers


@dataclass(frozen=True)
class AtThreshold:
    """A metric of yes or no: a row whose prediction is at least `threshold` is selected; NaN where nothing counts."""

    threshold: float = HALF

    kind: ClassVar[str]
    """Its name at the usual threshold, one half."""
    heading: ClassVar[str]
    """The same as it is printed."""
    goal: ClassVar[Literal["maximize", "minimize"]] = "maximize"
    task: ClassVar[Task] = BINARY

    def __post_init__(self) -> None:
        if not math.isfinite(self.threshold):
            raise DeclarationError(f"{type(self).__name__}: threshold {self.threshold} is no number.")

    @property
    def name(self) -> str:
        """precision, or precision_from_0_2 where another threshold than one half is declared."""
        if self.threshold == HALF:
            return self.kind
        return f"{self.kind}_from_{self.threshold:g}".replace("-", "minus_").replace(".", "_")

    @property
    def title(self) -> str:
        """Precision, or Precision from 0.2."""
        return self.heading if self.threshold == HALF else f"{self.heading} from {self.threshold:g}"

    @property
    def unit(self) -> str:
        """Of most of them."""
        return "share"

    @property
    def definition(self) -> str:
        """In one sentence, with the threshold."""
        return self.meaning.format(selected=f"selected (prediction at least {self.threshold:g})")

    @property
    def meaning(self) -> str:
        """The definition, with {selected} where the threshold is said."""
        raise NotImplementedError

    def score(self, truth: Numbers, prediction: Numbers, group: Groups | None = None) -> float:
        import numpy as np

        return float(self.resample(truth, prediction, np.ones((1, len(truth))))[0])

    def resample(self, truth: Numbers, prediction: Numbers, weights: Numbers, group: Groups | None = None) -> Numbers:
        import numpy as np

        if len(truth) == 0 or not np.isfinite(prediction).all():
            return np.full(len(weights), np.nan)
        selected, positive = prediction >= self.threshold, truth > 0
        kinds = (selected & positive, selected & ~positive, ~selected & positive, ~selected & ~positive)
        hits, alarms, missed, rest = (weights @ np.column_stack(kinds).astype(np.float64)).T  # whole numbers: exact
        counts = Counts(true_positives=hits, false_positives=alarms, false_negatives=missed, true_negatives=rest)
        return self.of_counts(counts)

    def of_counts(self, counts: Counts) -> Numbers:
        """The metric (b,) of the counts of each resample."""
        raise NotImplementedError


def share(part: Numbers, whole: Numbers) -> Numbers:
    """Part of whole, NaN of nothing."""
    import numpy as np

    found: Numbers = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
    return found
