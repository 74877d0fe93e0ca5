"""Precision at a threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.metrics.selection import AtThreshold, share

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.metrics.selection import Counts


@dataclass(frozen=True)
class Precision(AtThreshold):
    """The share of selected rows that are true; not defined where none is selected.

    Van Rijsbergen (1979), Information retrieval, chapter 7.
    """

    kind: ClassVar[str] = "precision"
    heading: ClassVar[str] = "Precision"

    @property
    def meaning(self) -> str:
        return "Share of rows {selected} that are true."

    def of_counts(self, counts: Counts) -> NDArray[np.float64]:
        return share(counts.true_positives, counts.true_positives + counts.false_positives)
