"""How much it varies, squared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.feature import RollingNumber
from platform_ml.spec.schema import squared
from platform_ml.spec.sql import identifier
from platform_ml.spec.window import Term

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, kw_only=True)
class Variance(RollingNumber):
    """The sample variance (n - 1) of a column over the events of the window; null below two known values."""

    @property
    def name(self) -> str:
        """unit_price_var_30d."""
        return f"{self.of}_var_{self.days}d"

    @property
    def meaning(self) -> str:
        """One sentence for catalog and card."""
        return f"Sample variance of {self.of} over the events of the last {self.days} days."

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """The square of the column's unit."""
        return squared(units.get(self.of))

    def terms(self) -> tuple[Term, ...]:
        """Sum, sum of squares and number of known values."""
        column = identifier(self.of)
        # Times one: a whole number of 64 bits becomes a decimal, whose square has room.
        return (
            Term("each", self.days, column),
            Term("each", self.days, f"({column} * 1::DECIMAL(1, 0)) * ({column} * 1::DECIMAL(1, 0))"),
            Term("each", self.days, self.known),
        )

    def sql(self, term: Callable[[Term], str]) -> str:
        """(n * sum of squares - sum²) / (n * (n - 1)): exact up to the division, so that no digits cancel."""
        total, squares, known = map(term, self.terms())
        spread = f"CAST({known} * {squares} - {total} * {total} AS DOUBLE)"
        return f"CASE WHEN {known} > 1 THEN {spread} / ({known} * ({known} - 1)) END"
