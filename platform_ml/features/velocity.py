"""How much a day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.feature import RollingNumber
from platform_ml.spec.sql import identifier
from platform_ml.spec.window import Term

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, kw_only=True)
class Velocity(RollingNumber):
    """The sum of a column per day of the window, days without an event included."""

    @property
    def name(self) -> str:
        """quantity_per_day_30d."""
        return f"{self.of}_per_day_{self.days}d"

    @property
    def meaning(self) -> str:
        """One sentence for catalog and card."""
        return f"{self.of} per day over the last {self.days} days."

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """The column's unit per day."""
        return f"{units[self.of]}/day" if self.of in units else None

    def terms(self) -> tuple[Term, ...]:
        """The column of every event."""
        return (Term("each", self.days, identifier(self.of)),)

    def sql(self, term: Callable[[Term], str]) -> str:
        """The sum over the length of the window."""
        return f"CAST({term(*self.terms())} AS DOUBLE) / {self.days}"
