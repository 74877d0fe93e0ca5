"""How many different ones."""

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
class Distinct(Aggregation):
    """Different values of a column; nulls are not counted; zero without any."""

    of: str
    takes: ClassVar[Takes] = "codes"
    of_nothing: ClassVar[int] = 0

    @property
    def name(self) -> str:
        """carrier_distinct."""
        return f"{self.of}_distinct"

    @property
    def meaning(self) -> str:
        """The beginning of a sentence."""
        return f"Different {self.of}"

    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.of,)

    def result(self, types: Mapping[str, Type]) -> Type:
        """A whole number."""
        return Integer()

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """Values that differ."""
        return "values"

    def compute(self, events: Segments) -> NDArray[Any]:
        """One for each first occurrence in its row."""
        import numpy as np

        rows = events.spread(np.arange(len(events.counts)))
        order = np.lexsort((events.values, rows))
        rows, values = rows[order], events.values[order]
        first = np.ones(len(rows), bool)
        first[1:] = (rows[1:] != rows[:-1]) | (values[1:] != values[:-1])
        return np.bincount(rows[first], minlength=len(events.counts))
