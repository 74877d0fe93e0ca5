"""How often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.feature import RollingOf
from platform_ml.spec.window import Term

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, kw_only=True)
class Frequency(RollingOf):
    """Different values of a column per week of the window: of a basket id, shopping trips a week."""

    @property
    def name(self) -> str:
        """basket_id_per_week_30d."""
        return f"{self.of}_per_week_{self.days}d"

    @property
    def meaning(self) -> str:
        """One sentence for catalog and card."""
        return f"Different {self.of} per week over the last {self.days} days."

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """Values a week."""
        return "values/week"

    def terms(self) -> tuple[Term, ...]:
        """One per different value."""
        return (Term("distinct", self.days, of=self.of),)

    def sql(self, term: Callable[[Term], str]) -> str:
        """The count over the weeks of the window."""
        return f"{term(*self.terms())} * 7.0::DOUBLE / {self.days}"
