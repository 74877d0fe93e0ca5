"""Root mean squared error."""

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
class RMSE(MeanLoss):
    """The root of the mean squared difference, in the label's unit: few large errors weigh more than many small ones.

    Smallest for conditional means: Gneiting (2011), Making and evaluating point forecasts.
    """

    name: ClassVar[str] = "rmse"
    title: ClassVar[str] = "Root mean squared error"
    unit: ClassVar[str] = "the label's unit"
    definition: ClassVar[str] = "Root of the mean squared difference between prediction and label."

    def resample(self, truth: Numbers, prediction: Numbers, weights: Numbers, group: Groups | None = None) -> Numbers:
        """The root of the mean loss of each resample."""
        import numpy as np

        root: Numbers = np.sqrt(super().resample(truth, prediction, weights))
        return root

    def losses(self, truth: Numbers, prediction: Numbers) -> Numbers:
        """The squared difference."""
        return (prediction - truth) ** 2
