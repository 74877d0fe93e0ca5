"""How much on average."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.feature import RollingNumber
from platform_ml.spec.sql import identifier
from platform_ml.spec.window import Term

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, kw_only=True)
class Mean(RollingNumber):
    """The mean of a column over the events of the window; null when no event knows it."""

    @property
    def name(self) -> str:
        """sales_value_mean_30d."""
        return f"{self.of}_mean_{self.days}d"

    @property
    def meaning(self) -> str:
        """One sentence for catalog and card."""
        return f"Mean {self.of} per event of the last {self.days} days."

    def terms(self) -> tuple[Term, ...]:
        """Sum and number of known values."""
        return (Term("each", self.days, identifier(self.of)), Term("each", self.days, self.known))

    def sql(self, term: Callable[[Term], str]) -> str:
        """Sum over number."""
        total, known = map(term, self.terms())
        return f"CAST({total} AS DOUBLE) / nullif({known}, 0)"
