"""F1 of several classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from platform_ml.spec.task import MULTICLASS, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Groups = NDArray[np.int64]


@dataclass(frozen=True)
class MacroF1:
    """The harmonic mean of precision and recall of each class, averaged over the classes: rare ones count as much.

    Van Rijsbergen (1979), Information retrieval, chapter 7. The likeliest class of a row is its prediction. As in
    scikit-learn a class counts that is there or predicted in the rows that are measured.
    """

    name: ClassVar[str] = "macro_f1"
    title: ClassVar[str] = "Macro F1"
    unit: ClassVar[str] = "share"
    definition: ClassVar[str] = "Harmonic mean of precision and recall of each class, averaged over the classes."
    goal: ClassVar[Literal["maximize", "minimize"]] = "maximize"
    task: ClassVar[Task] = MULTICLASS

    def score(self, truth: Numbers, prediction: Numbers, group: Groups | None = None) -> float:
        import numpy as np

        return float(self.resample(truth, prediction, np.ones((1, len(truth))))[0])

    def resample(self, truth: Numbers, prediction: Numbers, weights: Numbers, group: Groups | None = None) -> Numbers:
        import numpy as np

        scores = np.full(len(weights), np.nan)
        if len(truth) == 0 or not np.isfinite(prediction).all():
            return scores
        chosen = prediction.argmax(axis=1)
        total, counted = np.zeros(len(weights)), np.zeros(len(weights))
        for one in range(prediction.shape[1]):
            there, said = truth == one, chosen == one
            # Whole numbers are added up, so the order of adding does not matter.
            both, of_both = (weights[:, rows].sum(axis=1) for rows in (there & said, there | said))
            counts = of_both > 0
            total += np.divide(2 * both, both + of_both, out=np.zeros_like(both), where=counts)
            counted += counts
        np.divide(total, counted, out=scores, where=counted > 0)
        return scores
