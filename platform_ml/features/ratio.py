"""How much of one for each of the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.feature import RollingNumber
from platform_ml.spec.sql import identifier
from platform_ml.spec.window import Term

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, kw_only=True)
class Ratio(RollingNumber):
    """The sum of one column over the sum of another: of revenue per quantity, the mean price paid per unit."""

    per: str

    @property
    def name(self) -> str:
        """sales_value_per_quantity_30d."""
        return f"{self.of}_per_{self.per}_{self.days}d"

    @property
    def meaning(self) -> str:
        """One sentence for catalog and card."""
        return f"Sum of {self.of} over sum of {self.per}, last {self.days} days."

    def columns(self) -> tuple[str, ...]:
        """Numerator and denominator."""
        return (self.of, self.per)

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """One unit per the other, where both are known."""
        return f"{units[self.of]}/{units[self.per]}" if {self.of, self.per} <= set(units) else None

    def terms(self) -> tuple[Term, ...]:
        """Both sums."""
        return tuple(Term("each", self.days, identifier(column)) for column in self.columns())

    def sql(self, term: Callable[[Term], str]) -> str:
        """One over the other; null over zero."""
        total, per = map(term, self.terms())
        return f"CAST({total} AS DOUBLE) / nullif(CAST({per} AS DOUBLE), 0)"
