"""The greatest value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform_ml.spec.aggregation import AggregationOf
from platform_ml.spec.schema import Integer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from platform_ml.spec.aggregation import Segments
    from platform_ml.spec.schema import Type


@dataclass(frozen=True, kw_only=True)
class Maximum(AggregationOf):
    """The greatest value of a column; null without an event that knows it."""

    @property
    def name(self) -> str:
        """delay_max."""
        return f"{self.of}_max"

    @property
    def meaning(self) -> str:
        """The beginning of a sentence."""
        return f"Greatest {self.of}"

    def result(self, types: Mapping[str, Type]) -> Type:
        """Whole numbers stay whole."""
        double = super().result(types)
        return types[self.of] if isinstance(types[self.of], Integer) else double

    def compute(self, events: Segments) -> NDArray[Any]:
        """In the column's own numbers."""
        found = events.most(events.values)
        return found if events.scale == 1 else found / events.scale
