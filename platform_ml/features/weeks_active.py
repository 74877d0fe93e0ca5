"""How regularly something happens."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from platform_ml.spec.feature import Rolling
from platform_ml.spec.window import Term

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, kw_only=True)
class WeeksActive(Rolling):
    """The share of the window's weeks with at least one event, from 0 to 1.

    Weeks are counted back from the day of the row, which is the last one of its week. Where the window is no whole
    number of weeks, the oldest one is shorter.
    """

    @property
    def name(self) -> str:
        """weeks_active_42d."""
        return f"weeks_active_{self.days}d"

    @property
    def meaning(self) -> str:
        """One sentence for catalog and card."""
        return f"Share of the weeks with an event among the last {self.days} days."

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """A share."""
        return "share"

    def terms(self) -> tuple[Term, ...]:
        """The events of the last week, of the last two weeks, and so on."""
        return tuple(Term("each", min(end, self.days)) for end in range(7, self.days + 7, 7))

    def sql(self, term: Callable[[Term], str]) -> str:
        """A week has an event where there are more with it than without it."""
        sums = ["0", *map(term, self.terms())]
        active = " + ".join(f"CAST({more} > {less} AS INTEGER)" for less, more in pairwise(sums))
        return f"({active}) / {len(sums) - 1}::DOUBLE"
