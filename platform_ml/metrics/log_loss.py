"""Logarithmic loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.metrics.mean_loss import ProbabilityLoss

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class LogLoss(ProbabilityLoss):
    """The mean surprise in nats at what happened: Good (1952), Rational decisions.

    Probabilities are kept a float64 epsilon away from 0 and 1, as in scikit-learn, so that it is finite.
    """

    name: ClassVar[str] = "log_loss"
    title: ClassVar[str] = "Log loss"
    unit: ClassVar[str] = "nats per row"
    definition: ClassVar[str] = (
        "Mean of minus the natural logarithm of the probability that was given to what happened."
    )

    def losses(self, truth: NDArray[np.float64], prediction: NDArray[np.float64]) -> NDArray[np.float64]:
        """Minus the logarithm of the probability that was given to what happened."""
        import numpy as np

        epsilon = np.finfo(np.float64).eps
        given = np.where(truth > 0, prediction, 1 - prediction)
        surprise: NDArray[np.float64] = -np.log(np.clip(given, epsilon, 1 - epsilon))
        return surprise
