"""Mean squared error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.metrics.mean_loss import MeanLoss

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class MSE(MeanLoss):
    """The mean squared difference: `RMSE` says the same in the label's own unit.

    Smallest for conditional means: Gneiting (2011), Making and evaluating point forecasts.
    """

    name: ClassVar[str] = "mse"
    title: ClassVar[str] = "Mean squared error"
    unit: ClassVar[str] = "square of the label's unit"
    definition: ClassVar[str] = "Mean squared difference between prediction and label."

    def losses(self, truth: NDArray[np.float64], prediction: NDArray[np.float64]) -> NDArray[np.float64]:
        """The squared difference."""
        return (prediction - truth) ** 2
