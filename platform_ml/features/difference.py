"""How far one feature is from another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.features.combined import Pair

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from platform_ml.spec.feature import Feature
    from platform_ml.spec.window import Term


@dataclass(frozen=True, kw_only=True)
class Difference(Pair):
    """One feature less another of the same row."""

    less: Feature

    @property
    def second(self) -> Feature:
        """What is taken away."""
        return self.less

    @property
    def name(self) -> str:
        """amount_sum_28d_less_amount_sum_7d."""
        return f"{self.of.name}_less_{self.less.name}"

    @property
    def meaning(self) -> str:
        """One sentence for catalog and card."""
        return f"{self.of.name} less {self.less.name}."

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """The unit that both have."""
        one, other = self.of.measured_in(units), self.less.measured_in(units)
        return one if one == other else None

    def sql(self, term: Callable[[Term], str]) -> str:
        """One less the other."""
        return f"CAST({self.of.sql(term)} AS DOUBLE) - CAST({self.less.sql(term)} AS DOUBLE)"
