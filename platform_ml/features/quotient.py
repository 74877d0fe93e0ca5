"""How one feature compares with another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.features.combined import Pair

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from platform_ml.spec.feature import Feature
    from platform_ml.spec.window import Term


@dataclass(frozen=True, kw_only=True)
class Quotient(Pair):
    """One feature over another of the same row; null over zero. `Ratio` is that of the sums of two columns."""

    per: Feature

    @property
    def second(self) -> Feature:
        """What it is divided by."""
        return self.per

    @property
    def name(self) -> str:
        """amount_sum_7d_over_amount_sum_28d."""
        return f"{self.of.name}_over_{self.per.name}"

    @property
    def meaning(self) -> str:
        """One sentence for catalog and card."""
        return f"{self.of.name} over {self.per.name}."

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """One unit per the other, where both are known and differ."""
        one, other = self.of.measured_in(units), self.per.measured_in(units)
        return f"({one})/({other})" if one and other and one != other else None

    def sql(self, term: Callable[[Term], str]) -> str:
        """One over the other."""
        return f"CAST({self.of.sql(term)} AS DOUBLE) / nullif(CAST({self.per.sql(term)} AS DOUBLE), 0)"
