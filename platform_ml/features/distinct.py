"""How many different ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.feature import Counting, RollingOf
from platform_ml.spec.window import Term

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, kw_only=True)
class Distinct(Counting, RollingOf):
    """Different values of a column in the window; nulls are not counted."""

    @property
    def name(self) -> str:
        """basket_id_distinct_30d."""
        return f"{self.of}_distinct_{self.days}d"

    @property
    def meaning(self) -> str:
        """One sentence for catalog and card."""
        return f"Different {self.of} of the last {self.days} days."

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """Values that differ."""
        return "values"

    def terms(self) -> tuple[Term, ...]:
        """One per different value."""
        return (Term("distinct", self.days, of=self.of),)

    def sql(self, term: Callable[[Term], str]) -> str:
        """The count itself."""
        return term(*self.terms())
