"""Balanced accuracy at a threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.metrics.selection import AtThreshold, share

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.metrics.selection import Counts


@dataclass(frozen=True)
class BalancedAccuracy(AtThreshold):
    """The mean of the shares of true rows that are selected, and of false rows that are not: a coin gives one half.

    Brodersen et al. (2010), The balanced accuracy and its posterior distribution; defined where both kinds are there.
    """

    kind: ClassVar[str] = "balanced_accuracy"
    heading: ClassVar[str] = "Balanced accuracy"

    @property
    def meaning(self) -> str:
        return "Mean of the share of true rows that are {selected}, and that of false rows that are not."

    def of_counts(self, counts: Counts) -> NDArray[np.float64]:
        recall = share(counts.true_positives, counts.true_positives + counts.false_negatives)
        specificity = share(counts.true_negatives, counts.true_negatives + counts.false_positives)
        return (recall + specificity) / 2
