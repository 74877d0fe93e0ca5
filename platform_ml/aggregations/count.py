"""How many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.spec.aggregation import Aggregation
from platform_ml.spec.schema import Integer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from platform_ml.spec.aggregation import Segments, Takes
    from platform_ml.spec.schema import Type


@dataclass(frozen=True, kw_only=True)
class Count(Aggregation):
    """The number of events, or of those that know a column; zero without any."""

    of: str | None = None
    takes: ClassVar[Takes] = "positions"
    of_nothing: ClassVar[int] = 0

    @property
    def name(self) -> str:
        """delay_count, or count."""
        return f"{self.of}_count" if self.of else "count"

    @property
    def meaning(self) -> str:
        """The beginning of a sentence."""
        return f"Events with {self.of}" if self.of else "Events"

    def columns(self) -> tuple[str, ...]:
        """The column, if there is one."""
        return (self.of,) if self.of else ()

    def result(self, types: Mapping[str, Type]) -> Type:
        """A whole number."""
        return Integer()

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """Events."""
        return "events"

    def compute(self, events: Segments) -> NDArray[Any]:
        """The count itself."""
        return events.counts
