"""The latest ones, one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from platform_ml.spec.aggregation import Aggregation
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.schema import NUMBERS, Boolean, Doubles

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.spec.aggregation import Segments, Takes
    from platform_ml.spec.schema import Type

DAY = 86_400
MOST = 10_000


@dataclass(frozen=True, kw_only=True)
class EventSequence(Aggregation):
    """The values of the last `last` events, oldest first, as a list; null where an event does not know the column.

    Every event has its place, so that the lists of several columns over the same window belong together element by
    element. Without events there is no list. Events of one moment are ordered as the group's history says.
    """

    last: int
    of: str | None = None
    """A number or a boolean; None: how many days before the moment each event happened."""
    takes: ClassVar[Takes] = "events"

    def __post_init__(self) -> None:
        if not 1 <= self.last <= MOST:
            raise DeclarationError(f"EventSequence: the last {self.last} events are no list. Use 1 to {MOST:,}.")

    @classmethod
    def over(cls, *columns: str, last: int) -> tuple[Self, ...]:
        """The days before the moment, and these columns, of the same events."""
        return (cls(last=last), *(cls(last=last, of=column) for column in columns))

    @property
    def name(self) -> str:
        """amount_of_last_50, days_ago_of_last_50."""
        return f"{self.of or 'days_ago'}_of_last_{self.last}"

    @property
    def meaning(self) -> str:
        """The beginning of a sentence."""
        what = self.of and f"{self.of[0].upper()}{self.of[1:]}"
        return f"{what or 'Days before the moment'} of each of the last {self.last} events"

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """The column's unit, or days."""
        return "days" if self.of is None else units.get(self.of)

    def columns(self) -> tuple[str, ...]:
        """The column."""
        return () if self.of is None else (self.of,)

    def result(self, types: Mapping[str, Type]) -> Type:
        """A list of doubles."""
        if self.of is not None and not isinstance(types[self.of], (*NUMBERS, Boolean)):
            raise DeclarationError(
                f"EventSequence of {self.of!r}: the column is {types[self.of].sql}, not a number. Choose a number, or "
                "derive one from it."
            )
        return Doubles()

    def listed(self, events: Segments) -> NDArray[np.bool_]:
        """The newest ones of each row."""
        import numpy as np

        to_go = events.spread(np.cumsum(events.counts)) - np.arange(len(events.seconds))
        return np.asarray(to_go <= self.last)

    def compute(self, events: Segments) -> NDArray[Any]:
        """The column, or the time."""
        return events.seconds / DAY if self.of is None else events.values
