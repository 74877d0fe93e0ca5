"""`platform-ml promote`, `rollback` and `history`, and the same as jobs of Dagster: each leaves the same record."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import dagster as dg

from platform_ml.engine import promotion
from platform_ml.engine.registered_model import registration_named, version_named
from platform_ml.orchestration.asset import key
from platform_ml.orchestration.environment import user
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.spec.errors import PlatformError, did_you_mean
from platform_ml.spec.reason import DETAIL_TAG, REASON_TAG, Reason, reason_says
from platform_ml.spec.stage import DISPLACED, REGISTER, SEATS, Actor, Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.spec.project import Project
    from platform_ml.spec.registration import Registration
    from platform_ml.spec.stage import Transition

PROMOTE_JOB, ROLLBACK_JOB = "promote_model", "rollback_model"
PROMOTE_OP, ROLLBACK_OP = "promote", "rollback"
"""Dagster wants a step to be called otherwise than its job."""
TARGETS = tuple(map(str, (Stage.CHAMPION, Stage.CHALLENGER, Stage.ARCHIVED)))
USER_TAG = "user"
"""The tag of a run of Dagster that says who started it."""


def promote(text: str, to: str, *, why: str, projects: Sequence[Project]) -> int:
    """Move the version that MODEL@VERSION names, and say what was done."""
    registration, made = promoted(text, to, why=why, projects=projects, actor=here(), platform=PlatformResource())
    _print_done(registration.name, made)
    return 0


def rollback(name: str, *, why: str, projects: Sequence[Project]) -> int:
    """Make the previous champion the champion again, and say what was done."""
    registration, made = rolled_back(name, why=why, projects=projects, actor=here(), platform=PlatformResource())
    _print_done(registration.name, made)
    return 0


def history(name: str, *, projects: Sequence[Project], as_json: bool) -> int:
    """Print every transition of a model, newest first."""
    _, registration = registration_named(name, projects)
    registry = PlatformResource().mlflow().registry()
    entries = registry.history(registration.name)
    if as_json:
        print(json.dumps([entry.to_json() for entry in entries], indent=1, ensure_ascii=False))
        return 0
    if not entries:
        print(f"No version of {registration.name} was ever moved.")
    known = {one.version: one.tags for one in registry.versions() if one.name == registration.name}
    for entry in reversed(entries):
        print(f"{entry.when:%Y-%m-%d %H:%M:%S}Z  {_moved(registration.name, entry)}")
        print(f"    {entry.act} by {entry.who}, {entry.run}")
        print(f"    {entry.why}")
        if entry.act == REGISTER:
            tags = known.get(entry.version, {})
            says = reason_says(tags.get(REASON_TAG, str(Reason.MANUAL)), tags.get(DETAIL_TAG, ""))
            print(f"    Why it was trained: {says}")
    return 0


def promoted(
    text: str, to: str, *, why: str, projects: Sequence[Project], actor: Actor, platform: PlatformResource
) -> tuple[Registration, Transition]:
    """The move that MODEL@VERSION and a stage name."""
    name, _, version = text.partition("@")
    _, registration = registration_named(name, projects)
    if to not in TARGETS:
        raise PlatformError(
            f"A version cannot be promoted to {to!r}.{did_you_mean(to, TARGETS)} Use one of: {', '.join(TARGETS)}."
        )
    registry = platform.mlflow().registry()
    if not version:
        known = ", ".join(
            f"{one.name}@{one.version} ({one.stage})" for one in registry.versions() if one.name == registration.name
        )
        raise PlatformError(f"Which version of {name!r}? There is: {known or 'none yet'}.")
    number = version_named(version, registration.name, registry)
    known_numbers = [one.version for one in registry.versions() if one.name == registration.name]
    if number not in known_numbers:
        listed = ", ".join(map(str, sorted(known_numbers))) or "none"
        raise PlatformError(f"{registration.name}@{number}: there is no such version. Registered are: {listed}.")
    made = promotion.promote(registration, number, Stage(to), registry=registry, actor=actor, why=why)
    return registration, made


def rolled_back(
    name: str, *, why: str, projects: Sequence[Project], actor: Actor, platform: PlatformResource
) -> tuple[Registration, Transition]:
    """The move back to the previous champion."""
    _, registration = registration_named(name, projects)
    registry = platform.mlflow().registry()
    return registration, promotion.rollback(registration, registry=registry, actor=actor, why=why)


def here() -> Actor:
    """Who runs a command, and where."""
    return Actor(who=user(), run=f"command line of {socket.gethostname()}")


def run_actor(context: dg.OpExecutionContext | dg.AssetExecutionContext) -> Actor:
    """Who started a run of Dagster: its tag `user`, or whoever the process belongs to."""
    return Actor(who=context.run.tags.get(USER_TAG) or user(), run=f"Dagster run {context.run.run_id}")


def promotion_jobs(projects: Sequence[Project]) -> list[dg.JobDefinition]:
    """One job that promotes, and one that rolls back, for every model of these projects."""

    @dg.op(
        name=PROMOTE_OP,
        required_resource_keys={"platform"},
        config_schema={
            "model": dg.Field(str, description="MODEL@VERSION, as `platform-ml models` lists them."),
            "to": dg.Field(str, default_value=str(Stage.CHAMPION), description="One of: " + ", ".join(TARGETS)),
            "why": dg.Field(str, description="The reason, which is kept for good."),
        },
    )
    def promote_op(context):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - Dagster reads real annotations
        said = context.op_config
        _report(
            context,
            projects,
            *promoted(
                said["model"], said["to"], why=said["why"], projects=projects,
                actor=run_actor(context), platform=context.resources.platform,
            ),
        )  # fmt: skip

    @dg.op(
        name=ROLLBACK_OP,
        required_resource_keys={"platform"},
        config_schema={
            "model": dg.Field(str, description="The model whose previous champion is to be the champion again."),
            "why": dg.Field(str, description="The reason, which is kept for good."),
        },
    )
    def rollback_op(context):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - Dagster reads real annotations
        said = context.op_config
        _report(
            context,
            projects,
            *rolled_back(
                said["model"], why=said["why"], projects=projects,
                actor=run_actor(context), platform=context.resources.platform,
            ),
        )  # fmt: skip

    return [
        _job(PROMOTE_JOB, promote_op, "Make a registered version champion, challenger or archived, judged again."),
        _job(ROLLBACK_JOB, rollback_op, "Make the previous champion of a model the champion again, judged again."),
    ]


def _job(name: str, op: dg.OpDefinition, description: str) -> dg.JobDefinition:
    @dg.job(name=name, executor_def=dg.in_process_executor, description=description)
    def job() -> None:
        op()

    return job


def _report(context: Any, projects: Sequence[Project], registration: Registration, made: Transition) -> None:
    """In the log of the run, and on the page of the registered model."""
    project, _ = next((one, noun) for one in projects for noun in one.all(type(registration)) if noun == registration)
    context.log.info("%s: %s", registration.name, made.says)
    said = {
        "transition": made.says,
        "stage": str(made.after),
        "version": str(made.version),
        "who": made.who,
        "why": made.why,
    }
    context.log_event(dg.AssetObservation(asset_key=key(project, registration), metadata=said))


def _print_done(name: str, made: Transition) -> None:
    print(f"{_moved(name, made)}")
    print(f"    {made.act} by {made.who} at {made.when:%Y-%m-%d %H:%M:%S} UTC, {made.run}")
    print(f"    {made.why}")
    if made.displaced and made.after is Stage.CHAMPION:
        print(f'To take it back: platform-ml rollback {name} --why "..."')


def _moved(name: str, entry: Transition) -> str:
    lost = ""
    if entry.displaced is not None and entry.after in SEATS:
        lost = f"; {name}@{entry.displaced}: {entry.after} → {DISPLACED[entry.after]}"
    return f"{name}@{entry.version}: {entry.before} → {entry.after}{lost}"
