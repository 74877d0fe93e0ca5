"""Where a value is heading."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.feature import RollingNumber
from platform_ml.spec.sql import identifier
from platform_ml.spec.window import Term

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, kw_only=True)
class Slope(RollingNumber):
    """The least-squares slope of a column over the events of the window; null below two different days that know it.

    Unit: the column's unit per day. `Trend` is that of daily totals, in which a day without an event counts as zero.
    With t the day of an event and x its value: (n * sum(t * x) - sum(t) * sum(x)) / (n * sum(t²) - sum(t)²).
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.days == 1:
            raise DeclarationError("Slope: a slope needs at least 2 days.")

    @property
    def name(self) -> str:
        """pace_slope_30d."""
        return f"{self.of}_slope_{self.days}d"

    @property
    def meaning(self) -> str:
        """One sentence for catalog and card."""
        return f"Slope of {self.of} over the events of the last {self.days} days, per day."

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """The column's unit per day."""
        return f"{units[self.of]}/day" if self.of in units else None

    def terms(self) -> tuple[Term, ...]:
        """Number, sums of day and squared day of the known values; sums of value and day times value."""
        column = identifier(self.of)
        day = f"{self.known} * CAST(_day AS DECIMAL(6, 0))"
        values = (
            self.known,
            day,
            f"{day} * CAST(_day AS DECIMAL(6, 0))",
            column,
            f"{column} * CAST(_day AS DECIMAL(6, 0))",
        )
        return tuple(Term("each", self.days, value) for value in values)

    def sql(self, term: Callable[[Term], str]) -> str:
        """Days are counted from that of the row, so that numbers stay small: exact up to the division."""
        n, t, tt, x, tx = map(term, self.terms())
        days, squares = f"({t} - _day * {n})", f"({tt} - 2 * _day * {t} + _day * _day * {n})"
        product = f"({tx} - _day * {x})"
        spread = f"CAST({n} * {squares} - {days} * {days} AS DOUBLE)"
        return f"CASE WHEN {spread} > 0 THEN CAST({n} * {product} - {days} * {x} AS DOUBLE) / {spread} END"
