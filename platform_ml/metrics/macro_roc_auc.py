"""Area under the receiver operating characteristic, of several classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from platform_ml.metrics.roc_auc import RocAuc
from platform_ml.spec.task import MULTICLASS, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Groups = NDArray[np.int64]


@dataclass(frozen=True)
class MacroRocAuc:
    """How well each class is told from all others (ROC AUC, one against the rest), averaged over the classes.

    Provost and Domingos (2000), Well-trained PETs, but with equal weights. A class counts that some of the measured
    rows have, and some have not.
    """

    name: ClassVar[str] = "macro_roc_auc"
    title: ClassVar[str] = "Macro ROC AUC"
    unit: ClassVar[str] = "share"
    definition: ClassVar[str] = (
        "Chance that a random row of a class is ranked above a random other row, averaged over the classes."
    )
    goal: ClassVar[Literal["maximize", "minimize"]] = "maximize"
    task: ClassVar[Task] = MULTICLASS

    def score(self, truth: Numbers, prediction: Numbers, group: Groups | None = None) -> float:
        import numpy as np

        return float(self.resample(truth, prediction, np.ones((1, len(truth))))[0])

    def resample(self, truth: Numbers, prediction: Numbers, weights: Numbers, group: Groups | None = None) -> Numbers:
        import numpy as np

        total, counted = np.zeros(len(weights)), np.zeros(len(weights))
        if len(truth) and np.isfinite(prediction).all():
            for one in range(prediction.shape[1]):
                area = RocAuc().resample((truth == one).astype(np.float64), prediction[:, one], weights)
                total += np.nan_to_num(area)
                counted += ~np.isnan(area)
        scores = np.full(len(weights), np.nan)
        np.divide(total, counted, out=scores, where=counted > 0)
        return scores
