"""Where an entity stands among all others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.feature import RollingNumber
from platform_ml.spec.schema import Integer
from platform_ml.spec.sql import identifier
from platform_ml.spec.window import Term

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from platform_ml.spec.schema import Type


@dataclass(frozen=True, kw_only=True)
class Tier(RollingNumber):
    """The tier of the sum of a column among all entities of the same day: 1 is the lowest.

    A tier begins at each of the `cuts`, shares of the entities ranked below; equal sums share a tier.
    """

    cuts: tuple[float, ...] = (0.5, 0.8, 0.95)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.cuts or list(self.cuts) != sorted(set(self.cuts)) or not 0 < min(self.cuts) <= max(self.cuts) < 1:
            raise DeclarationError(f"Tier: cuts {self.cuts} must be rising shares between 0 and 1, like (0.5, 0.8).")

    @property
    def name(self) -> str:
        """sales_value_tier_30d."""
        return f"{self.of}_tier_{self.days}d"

    @property
    def meaning(self) -> str:
        """One sentence for catalog and card."""
        cuts = ", ".join(f"{cut:.0%}" for cut in self.cuts)
        return f"Tier of the sum of {self.of} over the last {self.days} days: 1 to {len(self.cuts) + 1}, cut at {cuts}."

    def result(self, types: Mapping[str, Type]) -> Type:
        """A whole number; refuses what `RollingNumber` refuses."""
        super().result(types)
        return Integer()

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """None: a rank."""
        return None

    def terms(self) -> tuple[Term, ...]:
        """The column of every event."""
        return (Term("each", self.days, identifier(self.of)),)

    def sql(self, term: Callable[[Term], str]) -> str:
        """One more for each cut that is reached."""
        rank = f"percent_rank() OVER (PARTITION BY _day ORDER BY {term(*self.terms())})"
        return "1 + " + " + ".join(f"CAST({rank} >= {cut} AS BIGINT)" for cut in self.cuts)
