"""The latest one."""

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
class Last(Aggregation):
    """The value of the newest event that knows the column, of any type."""

    of: str
    takes: ClassVar[Takes] = "positions"

    @property
    def name(self) -> str:
        """carrier_last."""
        return f"{self.of}_last"

    @property
    def meaning(self) -> str:
        """The beginning of a sentence."""
        return f"Latest {self.of}"

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
        """The position of the newest event."""
        return events.most(events.values)
