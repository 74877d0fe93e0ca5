"""Recall at a threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.metrics.selection import AtThreshold, share

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.metrics.selection import Counts


@dataclass(frozen=True)
class Recall(AtThreshold):
    """The share of true rows that are selected; not defined where none is true.

    The true positive rate: Van Rijsbergen (1979), Information retrieval, chapter 7.
    """

    kind: ClassVar[str] = "recall"
    heading: ClassVar[str] = "Recall"

    @property
    def meaning(self) -> str:
        return "Share of true rows that are {selected}."

    def of_counts(self, counts: Counts) -> NDArray[np.float64]:
        return share(counts.true_positives, counts.true_positives + counts.false_negatives)
