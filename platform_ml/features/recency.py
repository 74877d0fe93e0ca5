"""How long ago the last one was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.feature import Counting, Rolling
from platform_ml.spec.window import Term

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, kw_only=True)
class Recency(Counting, Rolling):
    """Days from the last event to the day of the row: 0 when it happened on that day."""

    @property
    def name(self) -> str:
        """days_since_last_365d."""
        return f"days_since_last_{self.days}d"

    @property
    def meaning(self) -> str:
        """One sentence for catalog and card."""
        return f"Days since the last event, looking back {self.days} days."

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """Days."""
        return "days"

    def terms(self) -> tuple[Term, ...]:
        """The day of the last event."""
        return (Term("last", self.days, "_day"),)

    def sql(self, term: Callable[[Term], str]) -> str:
        """The distance; null when the window is empty (a day is never 0 there)."""
        return f"_day - nullif({term(*self.terms())}, 0)"
