"""Mean absolute error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.metrics.mean_loss import MeanLoss

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class MAE(MeanLoss):
    """By how much predictions are off on average, in the label's unit; smallest for conditional medians.

    Willmott and Matsuura (2005), Advantages of the mean absolute error over the root mean square error.
    """

    name: ClassVar[str] = "mae"
    title: ClassVar[str] = "Mean absolute error"
    unit: ClassVar[str] = "the label's unit"
    definition: ClassVar[str] = "Mean distance between prediction and label."

    def losses(self, truth: NDArray[np.float64], prediction: NDArray[np.float64]) -> NDArray[np.float64]:
        """The distance between prediction and truth."""
        return abs(prediction - truth)
