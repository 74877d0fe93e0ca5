"""How long ago the first one was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.feature import Counting, Rolling
from platform_ml.spec.window import Term

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, kw_only=True)
class Tenure(Counting, Rolling):
    """Days from the first event in the window to the day of the row: cut off at the window's length."""

    @property
    def name(self) -> str:
        """days_since_first_365d."""
        return f"days_since_first_{self.days}d"

    @property
    def meaning(self) -> str:
        """One sentence for catalog and card."""
        return f"Days since the first event, looking back {self.days} days."

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """Days."""
        return "days"

    def terms(self) -> tuple[Term, ...]:
        """The day of the first event."""
        return (Term("first", self.days, "_day"),)

    def sql(self, term: Callable[[Term], str]) -> str:
        """The distance; null when the window is empty."""
        return f"_day - nullif({term(*self.terms())}, 0)"
