"""Average precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.metrics.ranking import Ranking

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class AveragePrecision(Ranking):
    """The precision at every threshold, weighted by the recall that the threshold adds, without interpolation.

    The area under the precision-recall curve (PR AUC) as a step function: Zhu (2004), Recall, precision and average
    precision; the definition of scikit-learn. Trapezoids would be too optimistic: Davis and Goadrich (2006).
    """

    name: ClassVar[str] = "average_precision"
    title: ClassVar[str] = "Average precision"
    unit: ClassVar[str] = "share"
    definition: ClassVar[str] = (
        "Precision at every threshold, weighted by the recall that the threshold adds: the area under the precision-"
        "recall curve (PR AUC), without interpolation."
    )

    def of_counts(self, hits: NDArray[np.float64], alarms: NDArray[np.float64]) -> NDArray[np.float64]:
        """Precision times the share of all hits that is new, added up over the thresholds."""
        import numpy as np

        shown = hits + alarms
        # A resample may have drawn no row above the first thresholds: they add no recall either.
        precision = np.divide(hits, shown, out=np.zeros_like(hits), where=shown > 0)
        added: NDArray[np.float64] = np.sum(precision * np.diff(hits, axis=1, prepend=0), axis=1) / hits[:, -1]
        return added
