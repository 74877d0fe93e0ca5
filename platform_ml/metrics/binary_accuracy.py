"""Accuracy at a threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.metrics.selection import AtThreshold, share

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.metrics.selection import Counts


@dataclass(frozen=True)
class BinaryAccuracy(AtThreshold):
    """The share of rows that are rightly selected or rightly not.

    Of a rare label it is high where nothing is selected: see `BalancedAccuracy`, and `Accuracy` for several classes.
    """

    kind: ClassVar[str] = "accuracy"
    heading: ClassVar[str] = "Accuracy"

    @property
    def meaning(self) -> str:
        return "Share of rows that are {selected} and true, or not selected and false."

    def of_counts(self, counts: Counts) -> NDArray[np.float64]:
        right = counts.true_positives + counts.true_negatives
        return share(right, right + counts.false_positives + counts.false_negatives)
