"""The earliest one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.spec.aggregation import Aggregation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from platform_ml.spec.aggregation import Segments, Takes
    from platform_ml.spec.schema import Type


@dataclass(frozen=True, kw_only=True)
class First(Aggregation):
    """The value of the oldest event that knows the column, of any type."""

    of: str
    takes: ClassVar[Takes] = "positions"

    @property
    def name(self) -> str:
        """carrier_first."""
        return f"{self.of}_first"

    @property
    def meaning(self) -> str:
        """The beginning of a sentence."""
        return f"Earliest {self.of}"

    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.of,)

    def result(self, types: Mapping[str, Type]) -> Type:
        """The column's own type."""
        return types[self.of]

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """The column's unit."""
        return units.get(self.of)

    def compute(self, events: Segments) -> NDArray[Any]:
        """The position of the oldest event."""
        return events.least(events.values)
