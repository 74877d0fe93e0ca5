"""Logarithmic loss of several classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.metrics.mean_loss import ClassLoss

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class MulticlassLogLoss(ClassLoss):
    """The mean surprise in nats at the class that it was: Good (1952), Rational decisions.

    Probabilities are kept a float64 epsilon away from 0 and 1, so that it is finite.
    """

    name: ClassVar[str] = "multiclass_log_loss"
    title: ClassVar[str] = "Log loss"
    unit: ClassVar[str] = "nats per row"
    definition: ClassVar[str] = (
        "Mean of minus the natural logarithm of the probability that was given to the right class."
    )

    def losses(self, truth: NDArray[np.float64], prediction: NDArray[np.float64]) -> NDArray[np.float64]:
        """Minus the logarithm of the probability that was given to the class."""
        import numpy as np

        epsilon = np.finfo(np.float64).eps
        given = prediction[np.arange(len(truth)), truth.astype(np.int64)]
        surprise: NDArray[np.float64] = -np.log(np.clip(given, epsilon, 1 - epsilon))
        return surprise
