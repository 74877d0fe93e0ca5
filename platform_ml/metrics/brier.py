"""Brier score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.metrics.mean_loss import ProbabilityLoss

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Brier(ProbabilityLoss):
    """The mean squared difference between probability and outcome: Brier (1950), Verification of forecasts."""

    name: ClassVar[str] = "brier"
    title: ClassVar[str] = "Brier score"
    unit: ClassVar[str] = "squared probability"
    definition: ClassVar[str] = "Mean squared difference between probability and outcome."

    def losses(self, truth: NDArray[np.float64], prediction: NDArray[np.float64]) -> NDArray[np.float64]:
        """The squared difference, from 0 to 1."""
        return (prediction - truth) ** 2
