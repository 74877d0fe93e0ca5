"""How much it varies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.features.variance import Variance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from platform_ml.spec.window import Term


@dataclass(frozen=True, kw_only=True)
class Deviation(Variance):
    """The sample standard deviation (n - 1) of a column over the events of the window."""

    @property
    def name(self) -> str:
        """sales_value_std_30d."""
        return f"{self.of}_std_{self.days}d"

    @property
    def meaning(self) -> str:
        """One sentence for catalog and card."""
        return f"Sample standard deviation of {self.of} over the events of the last {self.days} days."

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """The column's unit."""
        return units.get(self.of)

    def sql(self, term: Callable[[Term], str]) -> str:
        """The root of the variance."""
        return f"sqrt({super().sql(term)})"
