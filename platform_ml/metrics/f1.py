"""F1 at a threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.metrics.selection import AtThreshold, share

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.metrics.selection import Counts


@dataclass(frozen=True)
class F1(AtThreshold):
    """The harmonic mean of precision and recall; not defined where no row is true and none selected.

    Van Rijsbergen (1979), Information retrieval, chapter 7.
    """

    kind: ClassVar[str] = "f1"
    heading: ClassVar[str] = "F1"

    @property
    def meaning(self) -> str:
        return "Harmonic mean of precision and recall of rows {selected}."

    def of_counts(self, counts: Counts) -> NDArray[np.float64]:
        both = 2 * counts.true_positives
        return share(both, both + counts.false_positives + counts.false_negatives)
