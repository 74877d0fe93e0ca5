"""Something happens: a response."""

from __future__ import annotations

from dataclasses import dataclass

from platform_ml.outcomes.happening import Happening


@dataclass(frozen=True, kw_only=True)
class AnyEvent(Happening):
    """True when there is an event within the next `days` days."""

    @property
    def meaning(self) -> str:
        """One sentence for the card."""
        return f"An event within the next {self.days} days."

    def sql(self) -> str:
        """An aggregate over the events of the horizon."""
        return "count(*) > 0"
