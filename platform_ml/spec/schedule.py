"""When something is brought up to date because the time has come."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from platform_ml.spec.errors import DeclarationError, did_you_mean
from platform_ml.spec.event_label import EventLabel
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.label import Label
from platform_ml.spec.naming import check_name, check_unique
from platform_ml.spec.registration import Registration
from platform_ml.spec.source import Source

if TYPE_CHECKING:
    from collections.abc import Sequence

Scheduled = Source | FeatureGroup | Label | EventLabel | FeatureView | Registration
DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
FIELDS: tuple[tuple[str, int, int, Sequence[str]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, MONTHS),
    ("day of the week", 0, 7, tuple(day[:3] for day in DAYS)),
)
PART = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\w+))?")


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """At these times, what is missing or stale of these nouns is made, and of what they need; nothing else.

    A registration is trained for the newest cutoff whose outcomes are known.
    """

    name: str
    cron: str
    """Minute, hour, day of the month, month, day of the week: "0 3 * * mon" is Mondays at three."""
    of: tuple[Scheduled, ...]
    timezone: str = "UTC"
    """Whose clock `cron` is read on."""
    description: str = ""

    def __post_init__(self) -> None:
        check_name("Schedule", self.name)
        where = f"Schedule {self.name!r}"
        if not self.of:
            raise DeclarationError(f"{where}: of is empty, so there is nothing to do. Name nouns of the project.")
        for noun in self.of:
            if not isinstance(noun, Scheduled):
                raise DeclarationError(
                    f"{where}: {getattr(noun, 'name', noun)!r} is a {type(noun).__name__}, which cannot be scheduled "
                    "alone. Name a source, feature group, label, feature view or registration."
                )
        check_unique(where, "noun", [noun.name for noun in self.of])
        _check_cron(where, self.cron)
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise DeclarationError(
                f"{where}: there is no timezone {self.timezone!r}. Use a name like 'Europe/Vienna', or 'UTC'."
            ) from error

    @classmethod
    def weekly(
        cls, *, name: str, of: tuple[Scheduled, ...], day: str = "monday", hour: int = 3, timezone: str = "UTC"
    ) -> Self:
        """Once a week, on a day, at a full hour."""
        if day not in DAYS:
            raise DeclarationError(f"Schedule {name!r}: there is no day {day!r}.{did_you_mean(day, DAYS)}")
        return cls(name=name, cron=f"0 {hour} * * {day[:3]}", of=of, timezone=timezone)

    @classmethod
    def monthly(
        cls, *, name: str, of: tuple[Scheduled, ...], day: int = 1, hour: int = 3, timezone: str = "UTC"
    ) -> Self:
        """Once a month, on a day, at a full hour; up to the 28th, since every month has those."""
        if not 1 <= day <= 28:  # noqa: PLR2004
            raise DeclarationError(f"Schedule {name!r}: not every month has a day {day}. Use 1 to 28.")
        return cls(name=name, cron=f"0 {hour} {day} * *", of=of, timezone=timezone)


def _check_cron(where: str, cron: str) -> None:
    fields = cron.split()
    if len(fields) != len(FIELDS):
        raise DeclarationError(
            f"{where}: cron {cron!r} has {len(fields)} fields, not 5. Write minute, hour, day of the month, month and "
            "day of the week, like '0 3 * * mon'."
        )
    for text, (what, low, high, names) in zip(fields, FIELDS, strict=True):
        for part in text.lower().split(","):
            found = PART.fullmatch(part)
            if found is None:
                raise DeclarationError(
                    f"{where}: cron {cron!r}: {part!r} is no {what}. Use *, a number, a range like {low}-{high}, or "
                    "either with a step like */2."
                )
            given = [found["first"], found["last"]]
            ends = [_number(where, cron, one, what, low, high, names) for one in given if one is not None]
            if ends != sorted(ends):
                raise DeclarationError(
                    f"{where}: cron {cron!r}: {what} {part!r} ends before it begins. Exchange its ends."
                )
            if found["step"] is not None:
                _number(where, cron, found["step"], f"step of the {what}", 1, high, ())


def _number(where: str, cron: str, text: str, what: str, low: int, high: int, names: Sequence[str]) -> int:
    if text in names:
        return names.index(text) + low
    if not text.isdecimal() or not low <= int(text) <= high:
        more = f" or one of {', '.join(names)}" if names else ""
        raise DeclarationError(f"{where}: cron {cron!r}: {text!r} is no {what}. Use {low} to {high}{more}.")
    return int(text)
