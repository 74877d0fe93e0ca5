"""One message for one problem: how often it is told, and that it is over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from platform_ml.spec.alert import Alert, Kind, Severity, Trouble

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from platform_ml.spec.alert import Passed

REASONS = 5
"""Reasons that one message gives; the page has the others."""


class Sink(Protocol):
    """Where alerts are sent."""

    @property
    def name(self) -> str:
        """One word: what the outbox keeps its messages under."""
        ...

    @property
    def level(self) -> Severity:
        """What matters less is not sent here."""
        ...

    def send(self, alert: Alert, number: str) -> None:
        """Send one message; `number` is the same when it is sent again.

        Raises:
            UnreachableError: it may work later, so it is kept.
            StoreError: this message will never be taken.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How often one problem is told."""

    again: timedelta = timedelta(hours=24)
    """The same is told once in this time, with a count."""
    quiet: timedelta = timedelta(minutes=10)
    """More partitions of a problem are told together, at most once in this time."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is wrong with an asset for one cause, and what was told of it."""

    newest: Trouble
    first: datetime
    """When it was seen first since it was last over."""
    open: Mapping[str, str]
    """Partition → why; empty: it is over."""
    untold: frozenset[str]
    """The open partitions that nobody was told of."""
    told: datetime | None = None
    """When it was told last that something is wrong."""
    count: int = 0
    """How often it was seen since then."""
    pending: bool = False
    """Whether those who were told still have to hear that it is over."""

    def due(self, now: datetime, pace: Pace) -> bool:
        """Whether it has to be told now."""
        if not self.open:
            return self.pending
        if self.told is None:
            return True
        passed = now - self.told
        return (bool(self.untold) and passed >= pace.quiet) or (self.count > 0 and passed >= pace.again)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        moments = {"first": self.first.isoformat(), "told": self.told.isoformat() if self.told else None}
        known = {"open": dict(self.open), "untold": sorted(self.untold)}
        return {**vars(self), **moments, **known, "newest": vars(self.newest)}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Problem:
        """What `to_json` gave."""
        seen = dict(plain["newest"])
        seen |= {"kind": Kind(seen["kind"]), "severity": Severity(seen["severity"])}
        moments = {
            "first": datetime.fromisoformat(plain["first"]),
            "told": datetime.fromisoformat(plain["told"]) if plain["told"] else None,
        }
        trouble = Trouble(**{**seen, "partitions": tuple(seen["partitions"])})
        return cls(**{**plain, **moments, "newest": trouble, "untold": frozenset(plain["untold"])})


def seen(problem: Problem | None, trouble: Trouble, now: datetime) -> Problem:
    """The problem after one more sight of it."""
    why = dict.fromkeys(trouble.partitions, trouble.why)
    if problem is None:
        return Problem(newest=trouble, first=now, open=why, untold=frozenset(why), count=1)
    new = frozenset(one for one in trouble.partitions if one not in problem.open)
    worse = bool(problem.open) and trouble.severity.rank > problem.newest.severity.rank
    return replace(
        problem,
        newest=trouble,
        first=problem.first if problem.open else now,
        open={**problem.open, **why},
        untold=frozenset(problem.open) | new if worse else problem.untold | new,
        told=None if worse else problem.told,  # nobody waits with news that it got worse
        count=problem.count + 1,
    )


def over(problem: Problem, passed: Passed) -> Problem:
    """The problem without the partitions that are right again."""
    newest = problem.newest
    fits = (newest.project, newest.asset) == (passed.project, passed.asset) and newest.kind in passed.kinds
    if not fits or passed.cause not in {None, newest.cause}:
        return problem
    left = {one: why for one, why in problem.open.items() if one not in passed.partitions}
    if len(left) == len(problem.open):
        return problem
    seen_again = replace(newest, link=passed.link or newest.link)
    return replace(problem, newest=seen_again, open=left, untold=problem.untold & frozenset(left))


def tell(problems: Iterable[Problem], now: datetime, pace: Pace) -> tuple[list[Problem], list[Alert]]:
    """Those of the problems that are due, as they are after they were told, and the messages: one an asset and kind."""
    due = [problem for problem in problems if problem.due(now, pace)]
    together: dict[tuple[str, ...], list[Problem]] = {}
    for problem in due:
        newest = problem.newest
        group = (newest.kind, newest.project, newest.asset, "open" if problem.open else "over")
        together.setdefault(group, []).append(problem)
    after = [
        replace(problem, told=now, count=0, untold=frozenset(), pending=True)
        if problem.open
        else replace(problem, count=0, pending=False)
        for problem in due
    ]
    return after, [_alert(some, now) for some in together.values()]


def _alert(problems: Sequence[Problem], now: datetime) -> Alert:
    newest = max(problems, key=lambda one: one.newest.severity.rank).newest
    resolved = not problems[0].open
    new = {partition for one in problems for partition in one.untold}
    partitions = new or {partition for one in problems for partition in (one.open or one.newest.partitions)}
    since = min(one.first for one in problems)
    if resolved:
        causes = sorted({one.newest.cause for one in problems if one.newest.kind is not Kind.RUN})
        why = f"{', '.join(causes) or 'It'} passed again; it was open since {since:%Y-%m-%d %H:%M} UTC."
    else:
        reasons = dict.fromkeys(why for one in problems for key, why in one.open.items() if key in partitions)
        more = f" And {len(reasons) - REASONS} more reasons." if len(reasons) > REASONS else ""
        why = " ".join(list(reasons)[:REASONS]) + more
        if all(one.told for one in problems):
            why += f" Open since {since:%Y-%m-%d %H:%M} UTC."
    return Alert(
        kind=newest.kind,
        severity=newest.severity,
        project=newest.project,
        asset=newest.asset,
        why=why,
        step="Nothing is left to do." if resolved else newest.step,
        link=newest.link,
        when=now,
        partitions=tuple(sorted(partitions)),
        owner=newest.owner,
        count=max(1, *(one.count for one in problems)),
        resolved=resolved,
    )
