"""How much in all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.feature import RollingNumber
from platform_ml.spec.sql import identifier
from platform_ml.spec.window import Term

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, kw_only=True)
class Total(RollingNumber):
    """The sum of a column over the window; nulls add nothing."""

    @property
    def name(self) -> str:
        """sales_value_sum_30d."""
        return f"{self.of}_sum_{self.days}d"

    @property
    def meaning(self) -> str:
        """One sentence for catalog and card."""
        return f"Sum of {self.of} over the last {self.days} days."

    def terms(self) -> tuple[Term, ...]:
        """The column of every event."""
        return (Term("each", self.days, identifier(self.of)),)

    def sql(self, term: Callable[[Term], str]) -> str:
        """The sum itself."""
        return f"CAST({term(*self.terms())} AS DOUBLE)"
