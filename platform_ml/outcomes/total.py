"""How much there will be: spend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.schema import EXACT_NUMBERS, Double
from platform_ml.spec.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.spec.schema import Type


@dataclass(frozen=True, kw_only=True)
class Total:
    """The sum of a column over the entity's events within the next `days` days; zero without any."""

    of: str
    days: int

    @property
    def horizon_days(self) -> int:
        """The days that are looked at."""
        return self.days

    @property
    def meaning(self) -> str:
        """One sentence for the card."""
        return f"Sum of {self.of} over the next {self.days} days."

    def columns(self) -> tuple[str, ...]:
        """The column it adds up."""
        return (self.of,)

    def result(self, types: Mapping[str, Type]) -> Double:
        """A double; refuses a column whose sum would depend on the order of the rows."""
        if not isinstance(types[self.of], EXACT_NUMBERS):
            raise DeclarationError(
                f"Total of {self.of!r}: the column is {types[self.of].sql}, whose sums differ from run to run. Declare "
                "it as Decimal(precision, scale) or Integer."
            )
        return Double()

    def sql(self) -> str:
        """The exact sum, then a double."""
        return f"CAST(coalesce(sum({identifier(self.of)}), 0) AS DOUBLE)"
