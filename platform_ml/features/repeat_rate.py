"""How many come back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.feature import RollingOf
from platform_ml.spec.window import Term

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, kw_only=True)
class RepeatRate(RollingOf):
    """The share of the different values of a column that occur on at least two days of the window."""

    @property
    def name(self) -> str:
        """household_id_repeat_rate_30d."""
        return f"{self.of}_repeat_rate_{self.days}d"

    @property
    def meaning(self) -> str:
        """One sentence for catalog and card."""
        return f"Share of {self.of} seen on two or more of the last {self.days} days."

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """A share."""
        return "share"

    def terms(self) -> tuple[Term, ...]:
        """Repeated and different values."""
        return (Term("repeated", self.days, of=self.of), Term("distinct", self.days, of=self.of))

    def sql(self, term: Callable[[Term], str]) -> str:
        """Repeated over different."""
        repeated, distinct = map(term, self.terms())
        return f"CAST({repeated} AS DOUBLE) / nullif({distinct}, 0)"
