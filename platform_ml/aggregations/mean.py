"""How much on average."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform_ml.spec.aggregation import AggregationOf

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from platform_ml.spec.aggregation import Segments


@dataclass(frozen=True, kw_only=True)
class Mean(AggregationOf):
    """The arithmetic mean of a column; null without an event that knows it."""

    @property
    def name(self) -> str:
        """delay_mean."""
        return f"{self.of}_mean"

    @property
    def meaning(self) -> str:
        """The beginning of a sentence."""
        return f"Mean {self.of}"

    def compute(self, events: Segments) -> NDArray[Any]:
        """Sum over number."""
        import numpy as np

        return events.add(events.values) / (np.maximum(events.counts, 1) * events.scale)
