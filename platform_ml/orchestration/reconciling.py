"""What is asked for at a look: the ready steps of the plan, without what is under way, failed lately, or given up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import dagster as dg

from platform_ml.engine.plan import plan, ranges, span
from platform_ml.orchestration.memory import PIECES, Asked, Memory, moment, pause
from platform_ml.orchestration.requests import (
    ENDED,
    REQUEST_TAG,
    asset_keys,
    partition_tags,
    reason_tags,
    token,
    under_way,
    why,
)
from platform_ml.spec.automation import Automation
from platform_ml.spec.fingerprint import digest
from platform_ml.spec.naming import counted
from platform_ml.spec.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from platform_ml.engine.plan import Held, Plan, Step
    from platform_ml.engine.platform import Work
    from platform_ml.orchestration.requests import Busy
    from platform_ml.spec.project import Noun, Project
    from platform_ml.spec.reason import Reason

SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Purpose:
    """For what runs are asked for."""

    reason: Reason
    of: Sequence[Noun] = ()
    """Only these nouns, and what they need; all tables, if left out."""
    patient: bool = True
    """Whether a burst of deliveries is waited for."""
    detail: str = ""
    """Said before what is made and why."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """More of the runs."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """What came of a look at a project."""

    requests: list[dg.RunRequest]
    cursor: str
    said: str
    """What was looked at, what is asked for, what waits for what, what was refused."""
    done: bool
    """Whether there is nothing to be made, and nothing is being made."""

    def result(self) -> dg.SensorResult:
        """For the daemon; a tick without requests says why."""
        skip = None if self.requests else dg.SkipReason(self.said)
        return dg.SensorResult(run_requests=self.requests, cursor=self.cursor, skip_reason=skip)


@dataclass
class Choice:
    """The steps that are asked for, and what is said of the others."""

    steps: list[Step] = field(default_factory=list)
    busy: Counter[str] = field(default_factory=Counter)
    """Run → partitions that it makes."""
    paused: list[str] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)


def look(
    project: Project,
    work: Work,
    instance: dg.DagsterInstance,
    *,
    cursor: str | None,
    purpose: Purpose,
    clock: Callable[[], datetime] = moment,
) -> Look:
    """Compare what is there with what should be, and ask for what can be made now.

    What is under way is looked at first: a run that ends meanwhile is taken for one that goes on, and waited for.
    """
    policy, now = project.automation or Automation(), clock()
    memory, busy = Memory.load(cursor, now), under_way(instance, project.name)
    found = plan(project, work, of=purpose.of)
    memory.learn(instance, found, now)
    chosen = Choice()
    for step in found.ready:
        choose(step, chosen, memory, busy, policy, now)
    said = _settle(project, chosen, memory, policy, now) if purpose.patient else []
    requests: list[dg.RunRequest] = []
    burned = 0
    for step in chosen.steps:
        if len(requests) == policy.max_runs_per_tick:
            break
        key = _key(step, memory, instance, policy, now)
        burned += not key
        if key:
            full = f"{purpose.detail} {why(step)}".strip()
            given = {**partition_tags(step.keys), **reason_tags(step, purpose.reason, full), **purpose.tags}
            selection = asset_keys(project.name, step.made)
            requests.append(dg.RunRequest(run_key=key, asset_selection=selection, tags=given))
            ends = {"first": step.keys[0], "last": step.keys[-1]}
            asked = Asked(key=key, nouns=list(step.made), **ends, at=now.isoformat(), why=full[:160])
            memory.asked = [*(one for one in memory.asked if one.key != key), asked]
    left = len(chosen.steps) - len(requests) - burned
    said += [f"{left:,} more runs are asked for at the next look."] if left > 0 else []
    return Look(
        requests=requests,
        cursor=memory.dump(),
        said=" ".join([f"Looked at {found.looked}.", *said, *_told(found, chosen)]),
        done=not found.steps and not chosen.busy,
    )


def choose(step: Step, chosen: Choice, memory: Memory, busy: Sequence[Busy], policy: Automation, now: datetime) -> None:
    """The parts of a step that may be asked for: alike for all nouns that need the same of it."""
    alike: dict[tuple[tuple[str, ...], int], list[str]] = {}
    for nouns in [step.nouns] if step.together else [(noun,) for noun in step.nouns]:
        sizes: dict[int, list[str]] = {}
        for key in step.keys:
            run = next((one.run_id for one in busy for noun in nouns if one.makes(noun, key)), None)
            if run:
                chosen.busy[run[:8]] += 1
                continue
            failed = next((one for noun in nouns if (one := memory.failed.get(noun, {}).get(key))), None)
            if failed is None:
                sizes.setdefault(policy.max_partitions_per_run, []).append(key)
                continue
            waits = pause(failed, policy, now)
            where = f"{nouns[-1]} {key} (run {failed.run}, {failed.times}x: {failed.why})"
            if waits is None:
                chosen.given_up.append(where)
            elif waits:
                chosen.paused.append(f"{where} in {int(waits.total_seconds() // 60) + 1} min")
            else:
                sizes.setdefault(min(policy.max_partitions_per_run, -(-failed.size // PIECES)), []).append(key)
        for size, keys in sizes.items():
            for part in ranges(keys, step.keys, size):
                alike.setdefault((part, size), []).extend(nouns)
    parts = [replace(step, nouns=tuple(nouns), keys=part, then=()) for (part, _), nouns in alike.items()]
    whole = len(parts) == 1 and (parts[0].nouns, parts[0].keys) == (step.nouns, step.keys)
    free = not any(one.makes(noun, key) for one in busy for noun in step.then for key in step.keys)
    chosen.steps += [step] if whole and free else parts


def _settle(project: Project, chosen: Choice, memory: Memory, policy: Automation, now: datetime) -> list[str]:
    """Deliveries that still come in are waited for."""
    sources = {source.name for source in project.all(Source)}
    arriving = [step for step in chosen.steps if sources.issuperset(step.nouns)]
    if not arriving:
        memory.rest()
        return []
    burst = digest(sorted(token(step) for step in arriving))[:16]
    if memory.settled([burst], policy, now):
        return []
    chosen.steps = [step for step in chosen.steps if step not in arriving]
    count = sum(len(step.nouns) * len(step.keys) for step in arriving)
    waits = "waits" if count == 1 else "wait"
    settled = f"{policy.settle.total_seconds():.0f} s"
    return [f"{counted(count, 'delivery', 'deliveries')} {waits} until nothing new has come for {settled}."]


def _key(step: Step, memory: Memory, instance: dg.DagsterInstance, policy: Automation, now: datetime) -> str:
    """The run key; empty if a run for the same has just ended without success, which is taken into account now.

    A key that was used is used up, so every attempt has one of its own.
    """
    asked = token(step)
    runs = [run for run in instance.get_runs(dg.RunsFilter(tags={REQUEST_TAG: asked})) if run.status in ENDED]
    if runs and not memory.knows(runs[0].run_id):
        record = instance.get_run_record_by_id(runs[0].run_id)
        age = now.timestamp() - (record.end_time if record and record.end_time else 0.0)
        if age < policy.retry_after.total_seconds():
            fine = runs[0].status == dg.DagsterRunStatus.SUCCESS
            made = {(noun, key): step for noun in step.nouns for key in step.keys}
            memory.blame(instance, runs[0].run_id, made, now, why="it succeeded, and is still stale" if fine else "")
            return ""
    return f"{asked}-{len(runs) + 1}"


def _told(found: Plan, chosen: Choice) -> list[str]:
    """Sentences about what is not asked for."""
    said = [f"Run {run} is making {counted(count, 'partition')}." for run, count in chosen.busy.items()]
    said += _some("Tried again later", chosen.paused)
    said += _some("Given up until its delivery, declaration or code changes", chosen.given_up)
    waiting = Counter[str]()
    for step in found.steps:
        if step.waits:
            waiting[f"{', '.join(step.nouns)} for {', '.join(step.waits)}"] += step.size
    said += _some("Waits", [f"{name} ({counted(count, 'partition')})" for name, count in waiting.items()])
    said += _some("Not reached, and asked again", [f"{name}: {error}" for name, error in found.away.items()])
    refused = [f"{one.noun} {span(one.keys)}: {one.why.removeprefix('refused: ')}" for one in found.held if one.refused]
    said += _some("Refused", [one for one in refused if "cannot be reached" not in one])
    return [*said, *_some("Cannot be made yet", waiting_lines(found))]


def waiting_lines(found: Plan) -> list[str]:
    """What cannot be made and needs nobody's attention, a line for each noun."""
    others: dict[str, list[Held]] = {}
    for held in found.held:
        if not held.refused:
            others.setdefault(held.noun, []).append(held)
    counts = {noun: sum(len(one.keys) for one in held) for noun, held in others.items()}
    return [
        f"{noun}: {counted(counts[noun], 'partition')}, {held[0].keys[0]} first ({held[0].why})"
        for noun, held in others.items()
    ]


def _some(what: str, lines: Sequence[str]) -> list[str]:
    if not lines:
        return []
    more = f"; and {len(lines) - SHOWN:,} more" if len(lines) > SHOWN else ""
    return [f"{what}: {'; '.join(line.rstrip('.') for line in lines[:SHOWN])}{more}."]
