"""Accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from platform_ml.metrics.mean_loss import ClassLoss

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Accuracy(ClassLoss):
    """The share of rows whose likeliest class is the right one; of equally likely ones the first by name is taken."""

    name: ClassVar[str] = "accuracy"
    title: ClassVar[str] = "Accuracy"
    unit: ClassVar[str] = "share"
    definition: ClassVar[str] = "Share of rows whose likeliest class is the right one."
    goal: ClassVar[Literal["maximize", "minimize"]] = "maximize"

    def losses(self, truth: NDArray[np.float64], prediction: NDArray[np.float64]) -> NDArray[np.float64]:
        """1 where it is right: a gain rather than a loss."""
        import numpy as np

        right: NDArray[np.float64] = (prediction.argmax(axis=1) == truth).astype(np.float64)
        return right
