"""Pinball loss of a quantile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.metrics.mean_loss import MeanLoss
from platform_ml.spec.errors import DeclarationError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Pinball(MeanLoss):
    """By how much predictions miss a quantile of the label, in its unit; at one half it is half of the `MAE`.

    Koenker and Bassett (1978), Regression quantiles; the definition of scikit-learn's mean_pinball_loss.
    """

    quantile: float = 0.5

    unit: ClassVar[str] = "the label's unit"

    def __post_init__(self) -> None:
        if not 0 < self.quantile < 1:
            raise DeclarationError(f"Pinball: quantile is {self.quantile}; it lies between 0 and 1.")

    @property
    def name(self) -> str:
        """pinball_0_9."""
        return f"pinball_{self.quantile:g}".replace(".", "_").replace("-", "_")

    @property
    def title(self) -> str:
        """As it is printed."""
        return f"Pinball loss at {self.quantile:g}"

    @property
    def definition(self) -> str:
        """In one sentence, with the quantile."""
        return (
            f"Mean distance between prediction and label, times {self.quantile:g} where the prediction is too low and "
            f"{1 - self.quantile:g} where it is too high."
        )

    def losses(self, truth: NDArray[np.float64], prediction: NDArray[np.float64]) -> NDArray[np.float64]:
        """The weighted distance."""
        import numpy as np

        missing = truth - prediction
        loss: NDArray[np.float64] = np.maximum(self.quantile * missing, (self.quantile - 1) * missing)
        return loss
