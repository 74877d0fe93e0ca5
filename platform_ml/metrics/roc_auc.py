"""Area under the receiver operating characteristic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.metrics.ranking import Ranking

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class RocAuc(Ranking):
    """The chance that a random positive row is ranked above a random negative one; a tie counts half.

    Hanley and McNeil (1982), The meaning and use of the area under a ROC curve.
    """

    name: ClassVar[str] = "roc_auc"
    title: ClassVar[str] = "ROC AUC"
    unit: ClassVar[str] = "share"
    definition: ClassVar[str] = (
        "Chance that a random positive row is ranked above a random negative one; a tie counts half."
    )

    def of_counts(self, hits: NDArray[np.float64], alarms: NDArray[np.float64]) -> NDArray[np.float64]:
        """The trapezoids under hits over false alarms; exact, because whole numbers are added up."""
        import numpy as np

        # Each group of ties holds `alarms` negatives: they lie below the hits before it and beside its own.
        half_above = 2 * hits - np.diff(hits, axis=1, prepend=0)
        doubled = np.sum(np.diff(alarms, axis=1, prepend=0) * half_above, axis=1)
        area: NDArray[np.float64] = doubled / (2 * hits[:, -1] * alarms[:, -1])
        return area
