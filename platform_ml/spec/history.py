"""Which row of an entity's history may be used at a moment: the rules of a point-in-time join."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, get_args

from platform_ml.spec.errors import DeclarationError, did_you_mean
from platform_ml.spec.window import check_length, microseconds

Bound = Literal["<=", "<"]
Ties = Literal["error", "last"]


def check_choice(where: str, what: str, value: object, choices: Any) -> None:
    """Refuse what is none of the values of a Literal type."""
    known = get_args(choices)
    if value not in known:
        listed = ", ".join(map(repr, known))
        raise DeclarationError(f"{where}: {what} is {value!r}, not one of {listed}.{did_you_mean(str(value), known)}")


@dataclass(frozen=True, kw_only=True)
class Committed:
    """The platform's own commits say when a row became known, and when another one took its place.

    What was first written for days before `since` counts as known from its event time on: history that is loaded when
    a project begins was known in its day. From `since` on only commits count, so late and corrected data is seen from
    the moment on at which it came. That holds for the group's declaration, too: a feature that is added later is null
    for moments before it was first computed.
    """

    since: date


@dataclass(frozen=True, kw_only=True)
class Mutations:
    """Each row carries the time in which it was the truth: [known_from, known_to), null for without end."""

    known_from: str
    known_to: str


@dataclass(frozen=True, kw_only=True)
class History:
    """How the rows of an entity follow each other, and from when to when each one speaks.

    Of the rows that may be used the newest wins: by event time, then `created` (null is oldest), then `sequence` (null
    is oldest). That row alone is judged: when it is too old, over or a tombstone, there is none, not an older one.
    """

    event_time: str | None = None
    """The column of the moment from which a row may be used; None: the source's event time."""
    bound: Bound = "<="
    """Whether a row of the very moment may be used. What derives from the label's own events needs "<"."""
    ttl: timedelta | None = None
    """How old a row may be, inclusive; None: any age, zero: of the very moment only."""
    delay: timedelta = timedelta(0)
    """How long after its event time a row can be used, say because a nightly job writes it."""
    created: str | None = None
    """The column that says when a row became known."""
    sequence: str | None = None
    """The column that orders rows with equal event time and `created`."""
    known: Committed | Mutations | None = None
    """Knowledge time that is not a column of its own."""
    valid_to: str | None = None
    """The column of the moment from which a row is not valid any more (exclusive); null: still valid."""
    tombstone: str | None = None
    """The column that is true where the entity was deleted."""
    ties: Ties = "error"
    """What to do with different rows that nothing orders: refuse them, or take the last by the source's key."""
    match_null_keys: bool = False
    """Whether a null key is a key like any other."""
    late_days: int = 0
    """By how many days an event time may lie after the end of its partition, as arrivals after departures do.

    One that lies before its partition counts as the partition's beginning: earlier moments never read that partition.
    """

    def __post_init__(self) -> None:
        check_choice("History", "bound", self.bound, Bound)
        check_choice("History", "ties", self.ties, Ties)
        if self.ttl is not None:
            if self.ttl < timedelta(0):
                raise DeclarationError(f"History: a ttl of {self.ttl} lets no row through. Use zero or more, or None.")
            check_length("History", "a ttl", self.ttl, "Use None for any age.")
        check_length("History", "a delay", self.delay)
        if self.delay < timedelta(0):
            raise DeclarationError(
                f"History: a delay of {self.delay} would use rows before their event time, which leaks. Use 0 or more."
            )
        if self.late_days < 0:
            raise DeclarationError(f"History: late_days is {self.late_days}; use 0 or more.")
        check_length("History", "late_days", timedelta(days=min(self.late_days, 10**6)))
        if self.known is not None and self.created is not None:
            raise DeclarationError("History: `created` and `known` both say when a row became known. Declare one.")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that its rules read, each once."""
        mutations = (self.known.known_from, self.known.known_to) if isinstance(self.known, Mutations) else ()
        named = (self.created, self.sequence, self.valid_to, self.tombstone, *mutations)
        return tuple(dict.fromkeys(name for name in named if name is not None))

    @property
    def times(self) -> tuple[str, ...]:
        """Those of its columns that are moments."""
        return tuple(name for name in self.columns if name not in (self.sequence, self.tombstone))

    @property
    def knows(self) -> bool:
        """Whether it is recorded when its rows became known."""
        return self.created is not None or self.known is not None


@dataclass(frozen=True, kw_only=True)
class ValidTime:
    """Rows are used from their event time on, whenever they became known."""


@dataclass(frozen=True, kw_only=True)
class PerRow:
    """Each label row sees what was known at its own moment; groups without knowledge time: from event time on."""


@dataclass(frozen=True, kw_only=True)
class AsOf:
    """All rows see what was known at one moment, as if the dataset had been built then."""

    moment: datetime

    def __post_init__(self) -> None:
        if self.moment.utcoffset() != timedelta(0):
            raise DeclarationError(f"AsOf: {self.moment.isoformat()} is not in UTC. Use value.astimezone(UTC).")

    @property
    def microseconds(self) -> int:
        """Since 1970."""
        return microseconds(self.moment - datetime(1970, 1, 1, tzinfo=UTC))


Knowledge = ValidTime | PerRow | AsOf
