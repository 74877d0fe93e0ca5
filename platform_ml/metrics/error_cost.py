"""What errors of numbers cost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.metrics.mean_loss import MeanLoss
from platform_ml.spec.errors import DeclarationError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class ErrorCost(MeanLoss):
    """What wrong numbers cost per row, where too little costs another price than too much: the newsvendor's loss.

    Smallest for the quantile too_low / (too_low + too_high): Koenker and Bassett (1978), Regression quantiles.
    """

    of_too_low: float
    """Of one unit of the label that was not predicted."""
    of_too_high: float
    """Of one unit that was predicted and did not come."""
    currency: str = ""
    """What the costs are in."""

    name: ClassVar[str] = "error_cost"
    title: ClassVar[str] = "Cost of errors"

    def __post_init__(self) -> None:
        for cost in (self.of_too_low, self.of_too_high):
            if not (math.isfinite(cost) and cost > 0):
                raise DeclarationError(f"ErrorCost: {cost} is no cost. Each is a number above 0.")

    @property
    def unit(self) -> str:
        """EUR per row."""
        return f"{self.currency} per row".strip()

    @property
    def definition(self) -> str:
        """In one sentence, with the costs."""
        return (
            f"Mean cost of a row: {self.of_too_low:g} for each unit that the prediction is too low, "
            f"{self.of_too_high:g} for each that it is too high."
        )

    def losses(self, truth: NDArray[np.float64], prediction: NDArray[np.float64]) -> NDArray[np.float64]:
        """The price of the difference."""
        import numpy as np

        missing = truth - prediction
        cost: NDArray[np.float64] = np.maximum(self.of_too_low * missing, -self.of_too_high * missing)
        return cost
