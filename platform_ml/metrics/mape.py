"""Mean absolute percentage error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.metrics.mean_loss import MeanLoss

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Groups = NDArray[np.int64]


@dataclass(frozen=True)
class MAPE(MeanLoss):
    """By which share of the label predictions are off on average; rows whose label is 0 have no such share.

    They are left out, where scikit-learn divides by a float64 epsilon. It favours predictions that are too low: Hyndman
    and Koehler (2006), Another look at measures of forecast accuracy.
    """

    name: ClassVar[str] = "mape"
    title: ClassVar[str] = "Mean absolute percentage error"
    unit: ClassVar[str] = "share of the label: 0.1 is 10 %"
    definition: ClassVar[str] = (
        "Mean distance between prediction and label as a share of the label; rows whose label is 0 are left out."
    )

    def resample(self, truth: Numbers, prediction: Numbers, weights: Numbers, group: Groups | None = None) -> Numbers:
        """The mean over the drawn rows whose label is not 0."""
        import numpy as np

        counts = (truth != 0) & self.takes(prediction)
        drawn = np.ascontiguousarray(weights[:, counts])  # added up alike for one resample and many
        return super().resample(truth[counts], prediction[counts], drawn)

    def losses(self, truth: Numbers, prediction: Numbers) -> Numbers:
        """The distance over the size of the label."""
        return abs(prediction - truth) / abs(truth)
