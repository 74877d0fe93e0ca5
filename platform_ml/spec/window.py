"""Time: which partitions there are, and how far a rule looks back or ahead."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import ClassVar, Literal

from platform_ml.spec.errors import DeclarationError, PlatformError
from platform_ml.spec.naming import counted

WHOLE = "all"
"""The partition key of what has no cadence."""


class PartitionError(PlatformError):
    """A partition key that the cadence does not have."""


@dataclass(frozen=True, kw_only=True)
class Calendar(ABC):
    """Partitions one after the other, keyed by their first day (ISO 8601), in UTC."""

    first: date
    last: date | None = None
    """The day of the last key; None keeps adding partitions as time goes on."""
    opens: ClassVar[int]
    """How many days after its first one a partition is there."""

    def __post_init__(self) -> None:
        if self.first <= date(1970, 1, 1):
            raise DeclarationError(
                f"{type(self).__name__}: first {self.first}: days are counted from 1970. Start later."
            )
        if self.last is not None and (self.last < self.first or self.start(self.begun(self.last)) != self.last):
            raise DeclarationError(f"{type(self).__name__}: last {self.last} must be {self._later} first {self.first}.")

    @property
    @abstractmethod
    def _later(self) -> str:
        """How far apart keys are, for people."""

    @property
    @abstractmethod
    def shortest(self) -> int:
        """The days of its shortest partition."""

    @property
    @abstractmethod
    def longest(self) -> int:
        """The days of its longest partition."""

    @abstractmethod
    def start(self, number: int) -> date:
        """The first day of a partition; the one of `first` is number 0, those before are negative."""

    @abstractmethod
    def begun(self, day: date) -> int:
        """How many partitions, from number 0 on, begin before a day."""

    @abstractmethod
    def covering(self, days: int) -> int:
        """How many partitions in a row have so many days, whichever they are."""

    @property
    def end(self) -> date | None:
        """The first day that no partition covers."""
        return None if self.last is None else self.start(self.begun(self.last) + 1)

    def before(self, day: date) -> date:
        """The first day of the latest partition that begins before a day; partitions before the first one count."""
        return self.start(self.begun(day) - 1)

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
        if self.start(self.begun(day)) != day:
            near = str(self.before(day))
            raise PartitionError(f"Partition {key!r} is not the first day of a partition. Did you mean {near!r}?")
        return day

    def keys(self, start: date | None = None, end: date | None = None) -> list[str]:
        """The keys of the partitions that exist by now and begin in [start, end), oldest first."""
        now = datetime.now(UTC).date() + timedelta(days=1 - self.opens)
        there = _first_keys(self, self.begun(min(self.end or now, now)))
        since, until = max(self.first, start or self.first), max(self.first, end or date.max)
        return there[self.begun(since) : self.begun(until)]


@lru_cache(maxsize=256)
def _first_keys(calendar: Calendar, count: int) -> list[str]:
    """The keys from number 0 on, kept: who looks at the windows of every partition asks a thousand times."""
    return [str(calendar.start(number)) for number in range(count)]


@dataclass(frozen=True, kw_only=True)
class Cadence(Calendar):
    """Partitions of equal length in days: what windows, horizons and rows of tables need."""

    days: ClassVar[int]

    @property
    def _later(self) -> str:
        return f"a whole number of {self.days} days after"

    @property
    def shortest(self) -> int:
        """The days of every partition."""
        return self.days

    @property
    def longest(self) -> int:
        """The days of every partition."""
        return self.days

    def start(self, number: int) -> date:
        """The first day of a partition; the one of `first` is number 0, those before are negative."""
        return self.first + timedelta(days=number * self.days)

    def begun(self, day: date) -> int:
        """How many partitions, from number 0 on, begin before a day."""
        return -(-(day - self.first).days // self.days)

    def covering(self, days: int) -> int:
        """How many partitions in a row have so many days."""
        return -(-days // self.days)


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


MONTHS = 12
NO_LEAP_YEAR = date(2097, 1, 1)
"""The years from here to 2103 have no 29th of February, so that no run of months is shorter than one of theirs."""


@dataclass(frozen=True, kw_only=True)
class Monthly(Calendar):
    """One partition a month, keyed by its first day; it is there from that day on. For cutoffs, not for tables."""

    opens: ClassVar[int] = 0
    shortest: ClassVar[int] = 28
    longest: ClassVar[int] = 31

    def __post_init__(self) -> None:
        if self.first.day != 1:
            near = self.first.replace(day=1)
            raise DeclarationError(f"Monthly: first {self.first} is not the first day of a month. Use {near}.")
        super().__post_init__()

    @property
    def _later(self) -> str:
        return "the first day of a month, not before"

    def start(self, number: int) -> date:
        """The first day of a month; the one of `first` is number 0, those before are negative."""
        return _months_after(self.first, number)

    def begun(self, day: date) -> int:
        """How many months, from number 0 on, begin before a day."""
        return (day.year - self.first.year) * MONTHS + day.month - self.first.month + (day.day > 1)

    def covering(self, days: int) -> int:
        """How many months in a row have so many days, whichever they are."""
        starts = [_months_after(NO_LEAP_YEAR, number) for number in range(MONTHS)]
        months = days // self.longest
        while min((_months_after(start, months) - start).days for start in starts) < days:
            months += 1
        return months


def _months_after(day: date, number: int) -> date:
    """The first day of the month so many months later."""
    years, month = divmod(day.month - 1 + number, MONTHS)
    return date(day.year + years, month + 1, 1)


def check_even(where: str, calendar: Calendar | None) -> None:
    """Refuse partitions that differ in length where windows and horizons are counted in days."""
    if calendar is not None and not isinstance(calendar, Cadence):
        raise DeclarationError(
            f"{where}: {type(calendar).__name__} partitions differ in length, and windows count days. Use Daily or "
            "Weekly; months are for the cutoffs of a training dataset."
        )


UNITS = {name: timedelta(**{f"{name}s": 1}) for name in ("day", "hour", "minute", "second")}


def microseconds(length: timedelta) -> int:
    """A duration as the whole number that times are kept in."""
    return length // timedelta(microseconds=1)


def short(length: timedelta) -> str:
    """A duration in the largest unit that it is a whole number of.

    >>> print(short(timedelta(hours=36)), short(timedelta(days=7)), short(timedelta(minutes=90)))
    36h 7d 90m
    """
    for unit, size in UNITS.items():
        if length and not length % size:
            return f"{length // size}{unit[0]}"
    return f"{microseconds(length)}us"


def spelled(length: timedelta) -> str:
    """The same in words, for sentences.

    >>> spelled(timedelta(hours=36)), spelled(timedelta(days=1)), spelled(timedelta(milliseconds=2))
    ('36 hours', '1 day', '2,000 microseconds')
    """
    for unit, size in UNITS.items():
        if length and not length % size:
            return counted(length // size, unit)
    return counted(microseconds(length), "microsecond")


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
