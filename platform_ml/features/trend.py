"""Whether it grows or shrinks."""

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
class Trend(RollingNumber):
    """The least-squares slope of the daily totals of a column over the window, days without an event as zero.

    Unit: the column's unit per day, per day. With t the day and w the length of the window,
    slope = sum((t - mean(t)) * total(t)) / (w * (w² - 1) / 12).
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.days == 1:
            raise DeclarationError("Trend: a slope needs at least 2 days.")

    @property
    def name(self) -> str:
        """sales_value_trend_30d."""
        return f"{self.of}_trend_{self.days}d"

    @property
    def meaning(self) -> str:
        """One sentence for catalog and card."""
        return f"Slope of the daily sum of {self.of} over the last {self.days} days, per day."

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """The column's unit per day, per day."""
        return f"{units[self.of]}/day²" if self.of in units else None

    def terms(self) -> tuple[Term, ...]:
        """The column, and the column times its day."""
        column = identifier(self.of)
        return (
            Term("each", self.days, column),
            Term("each", self.days, f"{column} * CAST(_day AS DECIMAL(6, 0))"),
        )

    def sql(self, term: Callable[[Term], str]) -> str:
        """The slope in closed form, since the days of a window are known."""
        total, by_day = map(term, self.terms())
        # Twice sum((t - mean(t)) * total(t)), without a fraction: exact up to the division.
        doubled = f"2 * {by_day} - (2 * _day - {self.days - 1}) * {total}"
        return f"CAST({doubled} AS DOUBLE) / {self.days * (self.days**2 - 1) // 6}"
