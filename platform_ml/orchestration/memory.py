"""What a sensor remembers from one tick to the next: it may be lost, and then only a pause is."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dagster import DagsterRunStatus, RunsFilter

from platform_ml.orchestration.requests import UNDER_WAY, culprits, failure, token

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dagster import DagsterInstance

    from platform_ml.engine.plan import Plan, Step
    from platform_ml.spec.automation import Automation

VERSION = 1
KEPT = 20
"""Requests that ended and are still told of."""
PIECES = 8
"""Into how many runs a range is cut that failed without saying of which partition."""
LOST = timedelta(minutes=10)
"""After which a request without a run was never taken up."""
TEXT = 160


@dataclass(kw_only=True)
class Asked:
    """One run that was asked for."""

    key: str
    nouns: list[str]
    first: str
    last: str
    at: str
    why: str
    ended: str = ""
    """How its run ended; empty while it is awaited."""

    def has(self, noun: str, key: str) -> bool:
        """Whether the partition was asked for."""
        return noun in self.nouns and self.first <= key <= self.last


@dataclass(kw_only=True)
class Failure:
    """A partition whose run failed, and stays to be made."""

    token: str
    """What it was made of."""
    times: int
    at: str
    size: int
    """How many partitions that run had; 1: it is this one."""
    run: str
    why: str


@dataclass(kw_only=True)
class Memory:
    """As JSON it is the cursor of a sensor."""

    asked: list[Asked] = field(default_factory=list)
    failed: dict[str, dict[str, Failure]] = field(default_factory=dict)
    """Noun → partition."""
    pending: str = ""
    """What the burst of deliveries was at the last look."""
    since: str = ""
    """When it was seen like that first."""
    begun: str = ""
    """When it began."""

    @classmethod
    def load(cls, cursor: str | None, now: datetime) -> Memory:
        """Of a cursor; one that is garbled or older says nothing. Times to come are from a clock that was moved."""
        try:
            kept = json.loads(cursor or "")
            if kept.pop("version") != VERSION:
                return cls()
            memory = cls(**kept)
            memory.asked = [Asked(**one) for one in kept["asked"]]
            memory.failed = {
                noun: {key: Failure(**one) for key, one in found.items()} for noun, found in kept["failed"].items()
            }
            failures = [one for found in memory.failed.values() for one in found.values()]
            dated: list[Asked | Failure] = [*memory.asked, *failures]
            for one in dated:
                one.at = min(one.at, now.isoformat())
                datetime.fromisoformat(one.at)
            memory.since, memory.begun = (min(one, now.isoformat()) for one in (memory.since, memory.begun))
            _ = [datetime.fromisoformat(one) for one in (memory.since, memory.begun) if one]
        except (ValueError, TypeError, KeyError, AttributeError):
            return cls()
        return memory

    def dump(self) -> str:
        """As a cursor."""
        kept: dict[str, Any] = {"version": VERSION, **asdict(self)}
        return json.dumps(kept, separators=(",", ":"))

    def learn(self, instance: DagsterInstance, found: Plan, now: datetime) -> None:
        """Find out how the runs ended that were asked for; forget failures whose cause has changed or is gone."""
        due = {(noun, key): step for step in found.ready for noun in step.nouns for key in step.keys}
        self.failed = {
            noun: {key: one for key, one in of.items() if one.token == _token(due.get((noun, key)), noun, key)}
            for noun, of in self.failed.items()
        }
        self.failed = {noun: of for noun, of in self.failed.items() if of}
        for one in self.asked:
            if one.ended:
                continue
            run = next(iter(instance.get_runs(RunsFilter(tags={"dagster/run_key": one.key}), limit=1)), None)
            if run is None:
                age = now - datetime.fromisoformat(one.at)
                one.ended = "was never taken up" if age > LOST else ""
            elif run.status in (DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED):
                one.ended = f"run {run.run_id[:8]} {run.status.value.lower()}"
                steps = {part: step for part, step in due.items() if one.has(*part)}
                explained = any(held.refused and one.has(held.noun, key) for held in found.held for key in held.keys)
                self.blame(instance, run.run_id, steps, now, explained=explained)
            elif run.status not in (*UNDER_WAY, DagsterRunStatus.NOT_STARTED):
                one.ended = f"run {run.run_id[:8]} succeeded"
        ended = [one for one in self.asked if one.ended]
        self.asked = [one for one in self.asked if not one.ended or one in ended[-KEPT:]]

    def blame(
        self,
        instance: DagsterInstance,
        run_id: str,
        made: dict[tuple[str, str], Step],
        now: datetime,
        *,
        why: str = "",
        explained: bool = False,
    ) -> None:
        """Remember which partitions a failed run had; where a check has named some, only those.

        `explained`: what made it fail is not asked for again anyway, so the others need not wait.
        """
        named = culprits(instance, run_id)
        those = [one for one in made if one in named] if named or explained else list(made)
        said = why or failure(instance, run_id)
        size = 1 if named else len({key for _, key in made})
        for noun, key in those:
            before = self.failed.setdefault(noun, {}).get(key)
            if before and before.run == run_id[:8]:
                continue
            self.failed[noun][key] = Failure(
                token=_token(made[noun, key], noun, key),
                times=before.times + 1 if before and before.size == 1 else 1,
                at=now.isoformat(),
                size=size,
                run=run_id[:8],
                why=named.get((noun, key), said)[:TEXT],
            )

    def knows(self, run_id: str) -> bool:
        """Whether the end of this run has been taken into account."""
        return any(one.run == run_id[:8] for of in self.failed.values() for one in of.values())

    def settled(self, burst: Iterable[str], policy: Automation, now: datetime) -> bool:
        """Whether nothing has come for a while, or the burst has lasted too long to wait for its end."""
        seen = ",".join(sorted(burst))
        if not self.pending:
            self.begun = now.isoformat()
        if seen != self.pending:
            self.pending, self.since = seen, now.isoformat()
        quiet, lasted = (now - datetime.fromisoformat(one) for one in (self.since, self.begun))
        return quiet >= policy.settle or lasted >= 10 * policy.settle

    def rest(self) -> None:
        """There is no burst."""
        self.pending = self.since = self.begun = ""


def pause(one: Failure, policy: Automation, now: datetime) -> timedelta | None:
    """How long until the partition may be tried again; None: not before something has changed."""
    if one.size == 1 and one.times >= policy.attempts:
        return None
    waits = policy.retry_after * 2 ** (one.times - 1)
    return max(timedelta(0), datetime.fromisoformat(one.at) + waits - now)


def moment() -> datetime:
    """Now."""
    return datetime.now(UTC)


def _token(step: Step | None, noun: str, key: str) -> str:
    """What a partition would be made of, and by which code."""
    if step is None:
        return ""
    if step.together:
        return token(step)[:12]
    return token(step.alone(noun, key))[:12]
