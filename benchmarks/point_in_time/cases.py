"""What is joined with what: the sizes, and where the files of one case lie."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

ENTITY, TIME, ROW = "entity", "event_time", "row_id"
CREATED = "created"
"""When a row became known."""
VALUES = 3
"""Feature columns of a group, all float64."""
LAYOUTS = ("sorted", "shuffled")
"""By entity and event time, as the platform's tables are; or in no order at all."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How much is joined with how much."""

    spine: int
    rows: int
    """Of each group."""
    groups: int
    entities: int = 100_000

    @property
    def title(self) -> str:
        """The size in words."""
        groups = "1 group" if self.groups == 1 else f"{self.groups} groups"
        return f"{_short(self.spine)} spine rows, {groups} of {_short(self.rows)} rows"


SCALES = {
    "tiny": Scale(spine=1_000, rows=3_000, groups=2, entities=50),
    "small": Scale(spine=100_000, rows=500_000, groups=2, entities=10_000),
    "1m5m": Scale(spine=1_000_000, rows=5_000_000, groups=1),
    "1m10m3": Scale(spine=1_000_000, rows=10_000_000, groups=3),
    "10m10m3": Scale(spine=10_000_000, rows=10_000_000, groups=3),
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """The files of one measurement."""

    spine: str
    groups: tuple[str, ...]
    layout: str
    scratch: str
    """A folder for whatever a contestant wants to write."""
    threads: int

    def values(self, number: int) -> list[str]:
        """The feature columns of a group."""
        return values(number)

    @property
    def columns(self) -> list[str]:
        """The columns of the answer, in order."""
        return [ROW, ENTITY, TIME, *(name for number in range(len(self.groups)) for name in self.values(number))]

    def save(self, file: Path) -> None:
        """Write the case where a contestant's process reads it."""
        file.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def load(cls, file: Path) -> Case:
        """Read it again."""
        found = json.loads(file.read_text(encoding="utf-8"))
        return cls(**found | {"groups": tuple(found["groups"])})


def values(number: int) -> list[str]:
    """The feature columns of a group; no two groups have a name in common."""
    return [f"g{number}_x{column}" for column in range(VALUES)]


def _short(count: int) -> str:
    millions, rest = divmod(count, 1_000_000)
    return f"{count:,}" if rest else f"{millions}M"
