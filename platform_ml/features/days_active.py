"""On how many days something happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.feature import Counting, Rolling
from platform_ml.spec.window import Term

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, kw_only=True)
class DaysActive(Counting, Rolling):
    """Days of the window with at least one event."""

    @property
    def name(self) -> str:
        """days_active_30d."""
        return f"days_active_{self.days}d"

    @property
    def meaning(self) -> str:
        """One sentence for catalog and card."""
        return f"Days with an event among the last {self.days}."

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """Days."""
        return "days"

    def terms(self) -> tuple[Term, ...]:
        """One per different day."""
        return (Term("distinct", self.days, of="_day"),)

    def sql(self, term: Callable[[Term], str]) -> str:
        """The count itself."""
        return term(*self.terms())
