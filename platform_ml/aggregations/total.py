"""How much in all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform_ml.spec.aggregation import AggregationOf

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from platform_ml.spec.aggregation import Segments


@dataclass(frozen=True, kw_only=True)
class Total(AggregationOf):
    """The sum of a column; null without an event that knows it."""

    @property
    def name(self) -> str:
        """delay_total."""
        return f"{self.of}_total"

    @property
    def meaning(self) -> str:
        """The beginning of a sentence."""
        return f"Sum of {self.of}"

    def compute(self, events: Segments) -> NDArray[Any]:
        """Added up exactly for whole numbers and decimals, rounded once."""
        return events.add(events.values) / events.scale
