"""What somebody has to know: what is wrong, why, and what to do next."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SHOWN = 3
"""Partitions that are named one by one."""
VARYING = re.compile(
    r"""[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}  # a run
      | \b[0-9a-f]{8,64}\b(?=…|\b)                                    # a digest
      | \d+(?:[.,:\-T]\d+)*                                           # numbers, days, times
    """,
    re.VERBOSE | re.IGNORECASE,
)
LONGEST_CAUSE = 200
"""Characters of a message that tell one cause from another."""


class Kind(StrEnum):
    """What happened."""

    RUN = "run failed"
    GATE = "gate failed"
    CHECK = "check failed"
    DRIFT = "drift"
    OVERDUE = "overdue"
    RETRAINED = "retrained"
    """A model was registered, or was refused after its card was judged."""
    TEST = "test"


class Severity(StrEnum):
    """How much it matters."""

    INFO = "info"
    """Good to know."""
    WARNING = "warning"
    """Somebody should look at it; nothing was stopped."""
    ERROR = "error"
    """Something was stopped."""

    @property
    def rank(self) -> int:
        """The higher, the worse."""
        return list(Severity).index(self)


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One message, complete by itself."""

    kind: Kind
    severity: Severity
    project: str
    asset: str
    """The declaration, or the job where no asset is to blame."""
    why: str
    """Sentences, with the numbers behind them."""
    step: str
    """What to do next."""
    link: str
    """Where to see it."""
    when: datetime
    """UTC."""
    partitions: tuple[str, ...] = ()
    """None for what has no partitions."""
    owner: str = ""
    count: int = 1
    """How often it was seen since it was told last."""
    resolved: bool = False

    @property
    def what(self) -> str:
        """The headline.

        >>> print(Alert(kind=Kind.GATE, severity=Severity.ERROR, project="shop", asset="card", why="", step="", link="",
        ...             when=datetime(2024, 1, 1, tzinfo=UTC), partitions=("2024-06-10",)).what)
        Gate failed: shop/card, 2024-06-10
        """
        head = f"Resolved, {self.kind}" if self.resolved else self.kind[0].upper() + self.kind[1:]
        place = "/".join(filter(None, (self.project, self.asset)))
        return ", ".join(filter(None, (f"{head}: {place}" if place else head, listed(self.partitions))))

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {**vars(self), "when": self.when.isoformat(), "partitions": list(self.partitions)}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Alert:
        """What `to_json` gave."""
        read = {"kind": Kind(plain["kind"]), "severity": Severity(plain["severity"])}
        when = datetime.fromisoformat(plain["when"]).astimezone(UTC)
        return cls(**{**plain, **read, "when": when, "partitions": tuple(plain["partitions"])})


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """Something was seen that is wrong with partitions of an asset; the same cause again is the same problem."""

    kind: Kind
    severity: Severity
    project: str
    asset: str
    cause: str
    """A check, or `cause_of` an error."""
    partitions: tuple[str, ...]
    """ "" is the whole of what has no partitions."""
    why: str
    step: str
    link: str
    owner: str = ""

    @property
    def problem(self) -> str:
        """What it is one more sight of."""
        return f"{self.kind}\n{self.project}\n{self.asset}\n{self.cause}"


@dataclass(frozen=True, kw_only=True)
class Passed:
    """Partitions of an asset that are right again."""

    kinds: tuple[Kind, ...]
    project: str
    asset: str
    partitions: tuple[str, ...]
    cause: str | None = None
    """None: whatever the cause was."""
    link: str = ""


def cause_of(message: str) -> str:
    """A message without what differs from one time to the next: runs, digests, numbers, times.

    >>> cause_of("Out of memory after 12.5 s in run 6b1c7d0e-8a4f-4c7e-9b1e-0a1b2c3d4e5f")
    'Out of memory after # s in run #'
    """
    return VARYING.sub("#", " ".join(message.split()))[:LONGEST_CAUSE]


def listed(partitions: tuple[str, ...]) -> str:
    """Partitions for a headline: each of a few, the first and last of many."""
    named = [one for one in partitions if one]
    if len(named) <= SHOWN:
        return ", ".join(named)
    return f"{len(named):,} partitions, {min(named)} to {max(named)}"
