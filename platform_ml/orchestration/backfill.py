"""`platform-ml backfill`: make what is missing or stale, step by step, and nothing else."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableRepository

from platform_ml.engine.plan import plan, span
from platform_ml.engine.upstream import Table
from platform_ml.orchestration.killed import PROCESS_TAG, this_process
from platform_ml.orchestration.memory import Asked, Memory, moment
from platform_ml.orchestration.reconciling import Choice, choose, waiting_lines
from platform_ml.orchestration.requests import (
    asset_keys,
    failure,
    partition_tags,
    reason_tags,
    token,
    under_way,
    why,
)
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.spec.automation import Automation
from platform_ml.spec.errors import PlatformError, did_you_mean
from platform_ml.spec.naming import counted
from platform_ml.spec.reason import Reason
from platform_ml.spec.registration import Registration
from platform_ml.spec.scores import Scores

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from platform_ml.engine.plan import Plan, Step
    from platform_ml.engine.platform import Work
    from platform_ml.spec.project import Noun, Project

DEFINITIONS = "platform_ml.definitions"
RANGE = "..."


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What of a project somebody wants to have made."""

    project: Project
    of: tuple[Noun, ...] = ()
    between: tuple[str, str] | None = None
    outdated: bool = False
    """Also what was made and is outdated now; otherwise only what is missing, and what that needs."""
    limit: int | None = None
    """At most so many partitions."""
    settled: bool = True
    """Whether files that were written a moment ago are left, because they may still grow."""

    @classmethod
    def parse(
        cls,
        project: Project,
        names: Sequence[str],
        *,
        between: str | None,
        outdated: bool,
        limit: int | None,
        settled: bool = True,
    ) -> Wish:
        """From the words of a command line."""
        known = {
            noun.name: noun
            for noun in project.nouns
            if isinstance(noun, Table | Registration) and not isinstance(noun, Scores)
        }
        for name in names:
            if name not in known:
                raise PlatformError(
                    f"{project.name} has no table or registration {name!r}.{did_you_mean(name, known)} "
                    f"Known: {', '.join(known)}."
                )
        ends = tuple(between.split(RANGE)) if between else ()
        if between and (len(ends) != 2 or not all(ends) or ends[0] > ends[1]):  # noqa: PLR2004
            raise PlatformError(f"{between!r} is no range of partitions. Write it like 2024-01-01...2024-01-31.")
        if limit is not None and limit < 1:
            raise PlatformError(f"--limit {limit} would do nothing. Use 1 or more, or --dry-run.")
        return cls(
            project=project,
            of=tuple(known[name] for name in names),
            between=(ends[0], ends[1]) if ends else None,
            outdated=outdated,
            limit=limit,
            settled=settled,
        )

    def plan(self, work: Work) -> Plan:
        """What has to be run for it now."""
        return plan(self.project, work, of=self.of, between=self.between, outdated=self.outdated, settled=self.settled)


def show(wish: Wish, *, everything: bool, as_json: bool) -> int:
    """Print what would be run, in which order and why; nothing is run."""
    found = wish.plan(_work(wish.project))
    if as_json:
        print(json.dumps(as_data(found), indent=2))
        return 0
    print(f"{found.project}: {found.looked}.")
    for number, step in enumerate(found.steps, 1):
        waits = f"  (after {', '.join(step.waits)})" if step.waits else ""
        print(f"{number:>3}. {why(step)}{waits}")
        for noun in step.made if everything else ():
            for key in step.keys:
                print(f"       {noun} {key}: {step.why[noun][key]}")
    if found.held:
        print("Cannot be made now:")
    for one in found.held:
        if everything or one.refused:
            print(f"  {one.noun} {span(one.keys)}: {one.why}")
    for line in () if everything else waiting_lines(found):
        print(f"  {line}")
    size = sum(step.size for step in found.steps)
    print(f"{counted(len(found.steps), 'run')}, {counted(size, 'partition')}." if size else "Nothing has to be made.")
    return 0


def as_data(found: Plan) -> dict[str, object]:
    """A plan for programs."""
    steps = [
        {
            "nouns": list(step.made),
            "partitions": list(step.keys),
            "why": {noun: dict(step.why[noun]) for noun in step.made},
            "ready": step.ready,
            "waits_for": list(step.waits),
        }
        for step in found.steps
    ]
    held = [{"noun": one.noun, "partitions": list(one.keys), "why": one.why} for one in found.held]
    return {"project": found.project, "steps": steps, "held": held, "away": dict(found.away)}


@dataclass(kw_only=True)
class Backfill:
    """One call of the command: run a step, look again, until nothing is left that can be made.

    Nothing has to be kept for the next call: what was committed is no longer stale.
    """

    wish: Wish
    instance: dg.DagsterInstance
    work: Work
    definitions: str = DEFINITIONS
    """The module of the code location."""
    memory: Memory = field(default_factory=Memory)
    left: int | None = None

    def run(self) -> int:
        """1 when something that is wanted could not be made."""
        policy = replace(self.wish.project.automation or Automation(), retry_after=timedelta(0), attempts=1)
        self.left, made, tried = self.wish.limit, 0, set[str]()
        while True:
            busy, found, chosen = under_way(self.instance, self.work.project), self.wish.plan(self.work), Choice()
            self.memory.learn(self.instance, found, moment())
            for step in found.ready:
                choose(step, chosen, self.memory, busy, policy, moment())
            todo = [step for step in chosen.steps if token(step) not in tried]
            if not todo or self.left == 0:
                break
            step = self._cut(todo[0])
            tried.add(token(step))
            made += self._execute(step)
        return self._tell(found, chosen, made)

    def _cut(self, step: Step) -> Step:
        if self.left is None or step.size <= self.left:
            return step
        return replace(step, then=(), keys=step.keys[: max(1, self.left // len(step.nouns))])

    def _execute(self, step: Step) -> int:
        """How many partitions one run has made."""
        project = self.wish.project.name
        _say(f"{why(step)}")
        key = f"{token(step)}-{moment():%Y%m%dT%H%M%S%f}"
        tags = partition_tags(step.keys) | reason_tags(step, Reason.MANUAL, f"platform-ml backfill: {why(step)}")
        tags |= {PROCESS_TAG: this_process(), "dagster/run_key": key}
        ends = {"first": step.keys[0], "last": step.keys[-1]}
        asked = Asked(key=key, nouns=list(step.made), **ends, at=moment().isoformat(), why="")
        self.memory.asked.append(asked)
        repository = ReconstructableRepository.for_module(self.definitions, "defs", str(Path.cwd()))
        selection = asset_keys(project, step.made)
        implicit = repository.get_definition().get_implicit_job_def_for_assets(selection)
        if implicit is None:
            raise PlatformError(f"{self.definitions} does not have {', '.join(step.made)} of {project} as assets.")
        done = dg.execute_job(
            repository.get_reconstructable_job(implicit.name),
            instance=self.instance,
            asset_selection=selection,
            tags=tags,
        )
        if self.left is not None:
            self.left = max(0, self.left - step.size)
        if done.success:
            return step.size
        _say(f"     failed, run {done.run_id[:8]}: {failure(self.instance, done.run_id)}")
        return 0

    def _tell(self, found: Plan, chosen: Choice, made: int) -> int:
        for run, count in chosen.busy.items():
            _say(
                f"Run {run} is making {counted(count, 'partition')}, which {'is' if count == 1 else 'are'} left to it."
            )
        for failed in chosen.given_up:
            _say(f"Failed: {failed}")
        stopped = [step for step in found.steps if step.waits] if chosen.given_up else []
        for step in stopped:
            _say(f"Not made, since it waits for {', '.join(step.waits)}: {', '.join(step.made)} {step.span}")
        refused = [one for one in found.held if one.refused]
        for one in refused:
            _say(f"Not made: {one.noun} {span(one.keys)}: {one.why}")
        others = sum(len(one.keys) for one in found.held) - sum(len(one.keys) for one in refused)
        if others:
            _say(f"{counted(others, 'partition')} cannot be made yet; --dry-run says why.")
        rest = sum(step.size for step in found.steps)
        _say(f"Made {counted(made, 'partition')}{f'; {rest:,} left to be made' if rest else ''}.")
        return int(bool(chosen.given_up or refused or (rest and self.left != 0 and not chosen.busy)))


def run(project: Project, options: Namespace) -> int:
    """The command, from its options."""
    wish = Wish.parse(
        project,
        options.nouns,
        between=options.partition_range,
        outdated=options.stale,
        limit=options.limit,
        settled=not options.now,
    )
    if options.dry_run:
        return show(wish, everything=options.all, as_json=options.json)
    if options.all or options.json:
        raise PlatformError("--all and --json say how a plan is shown: add --dry-run.")
    if options.queue and options.limit:
        raise PlatformError("--limit cannot be kept by the daemon: drop it, or --queue. A --partition-range can be.")
    return backfill(wish, queue=options.queue)


def backfill(wish: Wish, *, queue: bool = False) -> int:
    """Make what is wanted: in this process, or as a backfill that the running daemon works off."""
    with dg.DagsterInstance.get() as instance:
        if queue:
            from platform_ml.orchestration.daemon_backfill import submit

            return submit(wish.plan(_work(wish.project)), instance)
        return Backfill(wish=wish, instance=instance, work=_work(wish.project)).run()


def _work(project: Project) -> Work:
    return PlatformResource().work(project.name, _say)


def _say(text: str) -> None:
    print(text, flush=True)
