"""Nothing happens: churn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.schema import Boolean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.spec.schema import Type


@dataclass(frozen=True, kw_only=True)
class NoEvent:
    """True when the entity has no event within the next `days` days."""

    days: int

    @property
    def horizon_days(self) -> int:
        """The days that are looked at."""
        return self.days

    @property
    def meaning(self) -> str:
        """One sentence for the card."""
        return f"No event within the next {self.days} days."

    def columns(self) -> tuple[str, ...]:
        """It reads none: an event is an event."""
        return ()

    def result(self, types: Mapping[str, Type]) -> Boolean:
        """True or false."""
        return Boolean()

    def sql(self) -> str:
        """An aggregate over the events of the horizon."""
        return "count(*) = 0"
