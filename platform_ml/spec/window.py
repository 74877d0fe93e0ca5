"""Time: which partitions there are, and how far a rule looks back or ahead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar, Literal

from platform_ml.spec.errors import DeclarationError, PlatformError

WHOLE = "all"
"""The partition key of what has no cadence."""


class PartitionError(PlatformError):
    """A partition key that the cadence does not have."""


@dataclass(frozen=True, kw_only=True)
class Cadence:
    """Partitions of equal length in days, keyed by their first day (ISO 8601), in UTC."""

    first: date
    last: date | None = None
    """The day of the last key; None keeps adding partitions as time goes on."""
    days: ClassVar[int]
    opens: ClassVar[int]
    """How many days after its first one a partition is there."""

    def __post_init__(self) -> None:
        if self.first <= date(1970, 1, 1):
            raise DeclarationError(
                f"{type(self).__name__}: first {self.first}: days are counted from 1970. Start later."
            )
        if self.last is not None and (self.last < self.first or (self.last - self.first).days % self.days):
            raise DeclarationError(
                f"{type(self).__name__}: last {self.last} must be a whole number of {self.days} days after "
                f"first {self.first}."
            )

    @property
    def end(self) -> date | None:
        """The first day that no partition covers."""
        return None if self.last is None else self.last + timedelta(days=self.days)

    def day(self, key: str) -> date:
        """The first day of a partition; `PartitionError` when there is no such key."""
        try:
            day = date.fromisoformat(key)
        except ValueError as error:
            raise PartitionError(
                f"Partition {key!r} is not a day like {str(self.first)!r}. Write it that way."
            ) from error
        if str(day) != key:
            raise PartitionError(
                f"Partition {key!r} is not written like {str(self.first)!r}. Did you mean {str(day)!r}?"
            )
        if day < self.first or (self.last is not None and day > self.last):
            span = f"{self.first} to {self.last or 'today'}"
            raise PartitionError(f"Partition {key!r} is outside of the declared range {span}. Choose a key inside it.")
        if (day - self.first).days % self.days:
            near = self.first + timedelta(days=(day - self.first).days // self.days * self.days)
            raise PartitionError(f"Partition {key!r} is not the first day of a partition. Did you mean {str(near)!r}?")
        return day

    def keys(self, start: date | None = None, end: date | None = None) -> list[str]:
        """The keys of the partitions that exist by now and begin in [start, end), oldest first."""
        now = datetime.now(UTC).date() + timedelta(days=1 - self.opens)
        until = min(filter(None, (end, self.end, now)))
        since = max(self.first, start or self.first)
        skip = -(-(since - self.first).days // self.days)
        count = -(-(until - self.first).days // self.days)
        return [str(self.first + timedelta(days=n * self.days)) for n in range(skip, count)]


@dataclass(frozen=True, kw_only=True)
class Daily(Cadence):
    """One partition a day, which is there when the day is over."""

    days: ClassVar[int] = 1
    opens: ClassVar[int] = 1


@dataclass(frozen=True, kw_only=True)
class Weekly(Cadence):
    """One partition a week, on the weekday of `first`; it is there from that day on, as the moment of a label is."""

    days: ClassVar[int] = 7
    opens: ClassVar[int] = 0


UNITS = (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("m", timedelta(minutes=1)), ("s", timedelta(seconds=1)))


def microseconds(length: timedelta) -> int:
    """A duration as the whole number that times are kept in."""
    return length // timedelta(microseconds=1)


def short(length: timedelta) -> str:
    """A duration in the largest unit that it is a whole number of.

    >>> print(short(timedelta(hours=36)), short(timedelta(days=7)), short(timedelta(minutes=90)))
    36h 7d 90m
    """
    for unit, size in UNITS:
        if length and not length % size:
            return f"{length // size}{unit}"
    return f"{microseconds(length)}us"


LONGEST = timedelta(days=36_500)
"""No rule reaches farther: what should reach without end says so."""


def check_length(where: str, what: str, length: timedelta, otherwise: str = "Use less.") -> None:
    """Refuse a duration that times could not be moved by."""
    if length > LONGEST:
        raise DeclarationError(f"{where}: {what} of {length.days:,} days is longer than a hundred years. {otherwise}")


def moment(day: date) -> datetime:
    """Midnight UTC at the beginning of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


TermKind = Literal["each", "distinct", "repeated", "first", "last"]


@dataclass(frozen=True)
class Term:
    """Something that windows add up exactly: the `value` of events of the last `days` days.

    * each: of every event
    * distinct: of one event per different `of`
    * repeated: of one event per `of` that occurs on at least two days
    * first, last: of the earliest, latest day with an event

    Every one of them is a sum over intervals of days, so a day's value is the day before's plus what enters
    minus what leaves; integers and decimals make that exact, in any order and at any number of threads.
    """

    kind: TermKind
    days: int
    value: str = "1"
    """SQL over the event's columns and `_day` (days since 1970); integer or decimal."""
    of: str | None = None
