"""`platform-ml status`: what runs by itself, what it did last and why, what it waits for; told without a daemon."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from platform_ml.engine.card_text import when
from platform_ml.engine.staleness import stale
from platform_ml.orchestration.build import definitions
from platform_ml.orchestration.requests import tallied
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.orchestration.retraining import job_name, look
from platform_ml.spec.errors import PlatformError
from platform_ml.spec.naming import counted
from platform_ml.spec.reason import DETAIL_TAG, REASON_TAG, Reason
from platform_ml.spec.registration import Registration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from platform_ml.spec.project import Project

RUNS = 200
"""The newest runs that are looked at."""
SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Looks:
    """A sensor or a schedule, and its last look."""

    name: str
    kind: str
    """sensor or schedule."""
    on: bool
    last: str
    """UTC, ISO 8601; empty: it has never looked."""
    outcome: str
    """requested, skipped, failed, started or never."""
    says: str
    """Why it asked for nothing, or what went wrong."""
    runs: tuple[str, ...]
    """That the last look started."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """A registration: why it is trained next, or what that waits for."""

    name: str
    by_itself: str
    """The rule; empty: when somebody asks for it."""
    says: str
    last_run: str
    """The newest run of its job, with its reason; empty: none."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """One project."""

    project: str
    looks: tuple[Looks, ...]
    models: tuple[Model, ...]
    runs: dict[str, dict[str, Any]]
    """Reason → how many of the newest runs had it, and which was the last."""
    failing: dict[str, dict[str, Any]]
    """asset:check → the partitions of which the newest result is a failure; those that block come first."""
    stale: dict[str, dict[str, int]]
    """Table → why its partitions are stale → how many."""
    problems: tuple[str, ...] = ()
    """What could not be looked at."""


def show_status(projects: Sequence[Project], *, as_json: bool) -> int:
    """Print where these projects stand."""
    resource = PlatformResource()
    with dg.DagsterInstance.get() as instance:
        found = [status_of(project, resource, instance) for project in projects]
    if as_json:
        print(json.dumps([asdict(one) for one in found], indent=2))
    else:
        print("\n\n".join("\n".join(_lines(one)) for one in found))
    return 0


def status_of(project: Project, resource: PlatformResource, instance: dg.DagsterInstance) -> Status:
    """What Dagster's storage, the tables and the registry say of a project."""
    repository, problems = definitions([project], resource).get_repository_def(), []
    work = resource.work(project.name, lambda _: None)
    runs = [one for one in instance.get_run_records(limit=RUNS) if _belongs(one.dagster_run, project)]
    try:
        outdated = {name: dict(Counter(of.values())) for name, of in stale(project, work).items()}
    except PlatformError as error:
        outdated = {}
        problems.append(f"What is stale is not known: {error}")
    return Status(
        project=project.name,
        looks=tuple(_looks([*repository.sensor_defs, *repository.schedule_defs], instance)),
        models=tuple(_model(project, one, resource, instance, runs) for one in project.all(Registration)),
        runs=_by_reason(runs),
        failing=_failing(repository.asset_graph, instance),
        stale=outdated,
        problems=tuple(problems),
    )


def _looks(
    declared: Sequence[dg.SensorDefinition | dg.ScheduleDefinition], instance: dg.DagsterInstance
) -> Iterator[Looks]:
    """A switch that nobody touched is as it was declared."""
    states = {state.instigator_name: state for state in instance.all_instigator_state()}
    for one in sorted(declared, key=lambda one: one.name):
        state = states.get(one.name)
        ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1) if state else []
        tick = ticks[0] if ticks else None
        said = (tick.skip_reason or (tick.error and tick.error.message.strip()) or "") if tick else ""
        yield Looks(
            name=one.name,
            kind="schedule" if isinstance(one, dg.ScheduleDefinition) else "sensor",
            on=state.is_running if state else one.default_status.value == "RUNNING",
            last=_moment(tick.timestamp) if tick else "",
            outcome=OUTCOMES[tick.status.value] if tick else "never",
            says=said,
            runs=tuple(tick.run_ids) if tick else (),
        )


OUTCOMES = {"STARTED": "started", "SKIPPED": "skipped", "SUCCESS": "requested", "FAILURE": "failed"}


def _model(
    project: Project,
    registration: Registration,
    resource: PlatformResource,
    instance: dg.DagsterInstance,
    runs: Sequence[dg.RunRecord],
) -> Model:
    decision = look(project, registration, work=resource.work(project.name, lambda _: None), instance=instance)
    last = next((one for one in runs if one.dagster_run.job_name == job_name(project, registration)), None)
    return Model(
        name=registration.name,
        by_itself=registration.retraining.rule if registration.retraining else "",
        says=decision.says.replace("Trained for", "It is time for", 1) if decision.request else decision.says,
        last_run=_run(last) if last else "",
    )


def _run(record: dg.RunRecord) -> str:
    run = record.dagster_run
    detail = f": {run.tags[DETAIL_TAG]}" if DETAIL_TAG in run.tags else ""
    began = when(_moment(record.create_timestamp.replace(tzinfo=UTC).timestamp()))
    return f"{run.run_id[:8]} {run.status.value} {began} ({_reason(run)}{detail})"


def _by_reason(runs: Sequence[dg.RunRecord]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for one in runs:
        found.setdefault(_reason(one.dagster_run), {"runs": 0, "last": _run(one)})["runs"] += 1
    return found


def _reason(run: dg.DagsterRun) -> str:
    return run.tags.get(REASON_TAG, str(Reason.MANUAL))


def _belongs(run: dg.DagsterRun, project: Project) -> bool:
    made = {key.path[0] for key in run.asset_selection or ()}
    return project.name in made or run.job_name.startswith(f"{project.name}_")


def _failing(graph: Any, instance: dg.DagsterInstance) -> dict[str, dict[str, Any]]:
    """The newest result of every check of every partition."""
    found = {}
    for key in sorted(graph.asset_check_keys):
        node = graph.get(key)
        known = instance.event_log_storage.get_asset_check_partition_info([key])
        bad = [one.partition_key or "" for one in known if one.latest_execution_status == FAILED]
        # What is said of a range as a whole has no partition.
        bad = sorted(one for one in bad if one) if node.partitions_def else bad
        if bad:
            asset = f"{key.asset_key.to_user_string()}:{key.name}"
            found[asset] = {"blocking": node.blocking, "partitions": len(bad), "last": bad[-1]}
    return dict(sorted(found.items(), key=lambda item: not item[1]["blocking"]))


FAILED = AssetCheckExecutionRecordStatus.FAILED


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _lines(one: Status) -> Iterator[str]:
    yield f"{one.project}"
    for looks in one.looks:
        at = f", last {when(looks.last)}: {looks.outcome}" if looks.last else ", has never looked"
        started = f" {', '.join(run[:8] for run in looks.runs)}" if looks.runs else ""
        yield f"  {looks.kind:<8} {looks.name}: {'on' if looks.on else 'off'}{at}{started}"
        yield from (f"    {line}" for line in looks.says.splitlines())
    for model in one.models:
        yield f"  model    {model.name}: {model.says}"
        yield f"    by itself: {model.by_itself or 'never'}"
        yield f"    last run: {model.last_run or 'none'}"
    for reason, runs in one.runs.items():
        yield f"  runs     {reason}: {runs['runs']:,} of the newest {RUNS:,}, last {runs['last']}"
    for name, check in list(one.failing.items())[:SHOWN]:
        weight = "blocks" if check["blocking"] else "warns"
        count = f"{counted(check['partitions'], 'partition')}"
        of = f"{count}, last {check['last']}" if check["last"] else "its only partition"
        yield f"  failing  {name} {weight}: {of}"
    if len(one.failing) > SHOWN:
        yield f"  failing  ... and {len(one.failing) - SHOWN:,} more (--json shows them)"
    for name, why in one.stale.items():
        yield f"  stale    {name}: {tallied(why)}"
    yield from (f"  problem  {problem}" for problem in one.problems)
