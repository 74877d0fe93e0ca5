"""The schedules of each project, and the sensor that goes on with what a schedule has begun."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import dagster as dg

from platform_ml.orchestration.memory import moment
from platform_ml.orchestration.reconciling import Purpose, look
from platform_ml.orchestration.requests import asset_keys
from platform_ml.orchestration.young import young
from platform_ml.spec.automation import Automation
from platform_ml.spec.reason import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from platform_ml.orchestration.resources import PlatformResource
    from platform_ml.spec.project import Project
    from platform_ml.spec.schedule import Schedule

SCHEDULE_TAG, TIME_TAG = "platform_ml/schedule", "platform_ml/scheduled_time"
EVERY_ASSET = "__ASSET_JOB"
"""Dagster's own job of all assets: any of them may be asked for, whatever its partitions are."""


def schedules(
    project: Project, platform: PlatformResource, *, clock: Callable[[], datetime] = moment
) -> Iterator[dg.ScheduleDefinition]:
    """One for each that is declared; a tick asks for what is missing or stale, and for nothing else."""
    for declared in project.schedules:
        yield _schedule(project, declared, platform, clock)


@young()
def _schedule(
    project: Project, declared: Schedule, platform: PlatformResource, clock: Callable[[], datetime]
) -> dg.ScheduleDefinition:
    names = ", ".join(noun.name for noun in declared.of)
    running = project.automation is not None and project.automation.running

    @dg.schedule(
        declared.cron,
        name=_name(project, declared),
        job_name=EVERY_ASSET,
        execution_timezone=declared.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING if running else dg.DefaultScheduleStatus.STOPPED,
        description=declared.description or f"Make what is missing or stale of {names}, and of what they need.",
        metadata={"of": names, "timezone": declared.timezone},
        tags={"platform_ml/project": project.name},
        owners=[project.owner],
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        due = context.scheduled_execution_time.isoformat()
        found = look(
            project,
            platform.work(project.name, context.log.info),
            context.instance,
            cursor=None,
            purpose=_purpose(project, declared, due),
            clock=clock,
        )
        # A key of its own for each time: the same tick seen twice asks for nothing twice, the next one may ask again.
        asked = [one.with_replaced_attrs(run_key=f"{declared.name}-{due}-{one.run_key}") for one in found.requests]
        return asked or dg.SkipReason(found.said)

    return schedule


def _purpose(project: Project, declared: Schedule, due: str) -> Purpose:
    return Purpose(
        reason=Reason.SCHEDULE,
        of=declared.of,
        patient=False,
        detail=f"{declared.name} of {due}:",
        tags={SCHEDULE_TAG: _name(project, declared), TIME_TAG: due},
    )


@young()
def scheduled(
    project: Project, platform: PlatformResource, *, clock: Callable[[], datetime] = moment
) -> dg.SensorDefinition:
    """What waits for the first runs of a schedule is asked for when they have ended, until everything is made."""
    policy = project.automation or Automation()
    nouns = [noun.name for noun in project.nouns]

    @dg.sensor(
        name=f"{project.name}_scheduled",
        asset_selection=dg.AssetSelection.assets(*asset_keys(project.name, nouns)),
        minimum_interval_seconds=int(policy.every.total_seconds()),
        # It only goes on with what a schedule has begun, which somebody switched on.
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Go on with what a schedule of {project.name} has begun, step by step, until all of it is made.",
        tags={"platform_ml/project": project.name},
        owners=[project.owner],
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        kept, said = _load(context.cursor), []
        for declared in project.schedules:
            due = _begun(context.instance, project, declared)
            state = kept.get(declared.name, {})
            state = state if state.get("time") == due else {"time": due, "memory": "", "done": not due}
            kept[declared.name] = state
            if state["done"]:
                said.append(f"{declared.name}: nothing was begun, or all of it is made.")
                continue
            found = look(
                project,
                platform.work(project.name, context.log.info),
                context.instance,
                cursor=str(state["memory"]),
                purpose=_purpose(project, declared, str(due)),
                clock=clock,
            )
            state |= {"memory": found.cursor, "done": found.done}
            said.append(f"{declared.name} of {due}: {found.said}")
            if found.requests:  # another schedule may need the same: one at a time
                return dg.SensorResult(run_requests=found.requests, cursor=json.dumps(kept))
        return dg.SensorResult(skip_reason=dg.SkipReason(" ".join(said)), cursor=json.dumps(kept))

    return sensor


def _load(cursor: str | None) -> dict[str, dict[str, object]]:
    """Schedule → its newest time, what is remembered of it, whether it is done; a garbled one says nothing."""
    try:
        kept = json.loads(cursor or "{}")
        return {name: dict(state) for name, state in kept.items() if {"time", "memory", "done"} <= set(state)}
    except (ValueError, TypeError, AttributeError):
        return {}


def _begun(instance: dg.DagsterInstance, project: Project, declared: Schedule) -> str:
    """The newest time for which a schedule has asked for something; empty if it never has."""
    runs = instance.get_runs(dg.RunsFilter(tags={SCHEDULE_TAG: _name(project, declared)}), limit=1)
    return runs[0].tags.get(TIME_TAG, "") if runs else ""


def _name(project: Project, declared: Schedule) -> str:
    return f"{project.name}_{declared.name}"
