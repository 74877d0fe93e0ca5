"""How many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.spec.aggregation import Aggregation
from platform_ml.spec.schema import Integer

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
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

    def compute(self, events: Segments) -> NDArray[np.number]:
        """The count itself."""
        return events.counts
