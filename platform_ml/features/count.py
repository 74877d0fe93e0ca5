"""How many events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.feature import Counting, Rolling
from platform_ml.spec.window import Term

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, kw_only=True)
class Count(Counting, Rolling):
    """Events of the window."""

    @property
    def name(self) -> str:
        """count_30d."""
        return f"count_{self.days}d"

    @property
    def meaning(self) -> str:
        """One sentence for catalog and card."""
        return f"Events of the last {self.days} days."

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """Events."""
        return "events"

    def terms(self) -> tuple[Term, ...]:
        """One per event."""
        return (Term("each", self.days),)

    def sql(self, term: Callable[[Term], str]) -> str:
        """The count itself."""
        return term(*self.terms())
