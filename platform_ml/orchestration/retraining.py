"""The sensor of each project that trains its models again when one of their triggers fires."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.storage.tags import RUN_KEY_TAG

from platform_ml.engine.retraining import collect, standpoint, waits_for
from platform_ml.orchestration.automation import default_status
from platform_ml.orchestration.requests import UNDER_WAY, under_way
from platform_ml.orchestration.young import young
from platform_ml.spec.errors import PlatformError
from platform_ml.spec.fingerprint import digest, fingerprint
from platform_ml.spec.reason import DETAIL_TAG, REASON_TAG
from platform_ml.spec.registration import Registration
from platform_ml.spec.window import short

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from platform_ml.engine.platform import Work
    from platform_ml.engine.retraining import Standpoint
    from platform_ml.orchestration.resources import PlatformResource
    from platform_ml.spec.project import Project
    from platform_ml.spec.retraining import Retraining
    from platform_ml.spec.trigger import Answer, Trigger

EVERY = 300
"""Seconds between two looks."""
PENDING = [*UNDER_WAY, dg.DagsterRunStatus.NOT_STARTED]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What is remembered of a look that led to nothing, so that the same is not measured again."""

    basis: str
    says: str


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What a look at one registration came to."""

    says: str
    request: dg.RunRequest | None = None
    basis: str = ""
    """As long as it stays the same, so does the answer; empty: ask again."""


@young()
def retraining_sensor(
    project: Project, jobs: Sequence[dg.UnresolvedAssetJobDefinition], platform: PlatformResource
) -> dg.SensorDefinition | None:
    """Looks at every registration that declares `Retraining`; None where none does."""
    declared = [one for one in project.all(Registration) if one.retraining]
    if not declared:
        return None
    names = {job_name(project, one) for one in declared}

    @dg.sensor(
        name=f"{project.name}_retraining",
        jobs=[job for job in jobs if job.name in names],
        minimum_interval_seconds=EVERY,
        default_status=default_status(project),
        description=f"Train the models of {project.name} again: "
        + " ".join(f"{one.name}: {one.retraining.rule}" for one in declared if one.retraining),
        tags={"platform_ml/project": project.name},
        owners=[project.owner],
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        work, before, after = platform.work(project.name, context.log.info), _read(context.cursor), {}
        found: dict[str, Decision] = {}
        for one in declared:
            decision = look(project, one, work=work, instance=context.instance, before=before.get(one.name))
            found[one.name] = decision
            context.log.info("%s: %s", one.name, decision.says)
            if decision.basis:
                after[one.name] = asdict(Seen(basis=decision.basis, says=decision.says))
        requests = [decision.request for decision in found.values() if decision.request]
        said = "\n".join(f"{name}: {decision.says}" for name, decision in found.items())
        skip = None if requests else dg.SkipReason(said)
        return dg.SensorResult(run_requests=requests, skip_reason=skip, cursor=json.dumps(after))

    return sensor


def job_name(project: Project, registration: Registration) -> str:
    """The job that makes a registered model, from labels on."""
    return f"{project.name}_{registration.name}"


def look(
    project: Project,
    registration: Registration,
    *,
    work: Work,
    instance: dg.DagsterInstance,
    before: Seen | None = None,
) -> Decision:
    """Whether a registration is to be trained again, and why or why not, in sentences."""
    retraining = registration.retraining
    if retraining is None:
        return Decision(says="Trained when somebody asks for it: it declares no retraining.")
    if busy := _runs(instance, project, registration, statuses=PENDING):
        return Decision(says=f"Run {busy[0].dagster_run.run_id[:8]} is training it now.")
    try:
        at = standpoint(registration, work=work)
        if before and before.basis == at.basis:
            return Decision(says=before.says, basis=at.basis)
        state = collect(registration, at, reads=retraining.reads, work=work)
        answers = {trigger: trigger.judge(state) for trigger in retraining.when}
        if not any(answer.fired for answer in answers.values()):
            return Decision(says=f"Not yet: {told(answers)}.", basis=at.basis)
        return _fired(project, registration, answers, at, work=work, instance=instance)
    except PlatformError as error:
        return Decision(says=f"Nobody can say now: {error}")


def told(answers: Mapping[Trigger, Answer]) -> str:
    """How far each trigger is from firing."""
    return "; ".join(f"{trigger.name}: {answer.says}" for trigger, answer in answers.items())


def _fired(
    project: Project,
    registration: Registration,
    answers: Mapping[Trigger, Answer],
    at: Standpoint,
    *,
    work: Work,
    instance: dg.DagsterInstance,
) -> Decision:
    """A cause is there: whether it is a new one, and whether everything is ready for it."""
    fired = {trigger: answer for trigger, answer in answers.items() if answer.fired}
    why, where = told(fired), f"cutoff {at.newest}"
    if not at.newest:
        return Decision(says=f"It is time ({why}), but no cutoff has all of its rows yet.")
    if at.is_made and at.trained is not None:
        says = f"It would be time ({why}), but model {at.trained.digest[:12]} is of {where} and of the same rows"
        return Decision(says=f"{says}: `platform-ml models` says what became of it.", basis=at.basis)
    key = run_key(registration, at)
    if done := _runs(instance, project, registration, tags={RUN_KEY_TAG: key}):
        run = done[0].dagster_run
        says = f"It is time ({why}), but run {run.run_id[:8]} for the same rows of {where} ended as {run.status.value}"
        return Decision(says=f"{says}. New rows start another one; look at it, and run it again by hand.")
    model = registration.card.evaluation.model.name
    if busy := [one for one in under_way(instance, project.name) if one.makes(model, at.newest)]:
        return Decision(says=f"It is time ({why}), but run {busy[0].run_id[:8]} is training it for {where}.")
    if waits := _pause(registration.retraining, _runs(instance, project, registration)):
        return Decision(says=f"It is time ({why}), and it begins when the pause is over, in {waits}.")
    if stale := waits_for(project, registration, at.newest, work=work):
        return Decision(says=f"It is time ({why}), but {where} is not ready: {stale}.")
    request = dg.RunRequest(
        run_key=key,
        job_name=job_name(project, registration),
        partition_key=at.newest,
        tags={
            REASON_TAG: str(next(iter(fired)).reason),
            DETAIL_TAG: "; ".join(answer.says for answer in fired.values()),
            "platform_ml/project": project.name,
            "platform_ml/registration": registration.name,
        },
    )
    return Decision(says=f"Trained for {where}: {why}.", request=request)


def run_key(registration: Registration, at: Standpoint) -> str:
    """The same for the same declaration, cutoff and rows: what it was used for is never asked for again."""
    return f"retrain-{registration.name}-{digest((fingerprint(registration), at.newest, at.inputs))[:32]}"


def _runs(
    instance: dg.DagsterInstance,
    project: Project,
    registration: Registration,
    *,
    statuses: Sequence[dg.DagsterRunStatus] | None = None,
    tags: Mapping[str, str] | None = None,
) -> Sequence[dg.RunRecord]:
    """The newest run of its job."""
    wanted = dg.RunsFilter(job_name=job_name(project, registration), statuses=statuses, tags=tags)
    return instance.get_run_records(wanted, limit=1)


def _pause(retraining: Retraining | None, last: Sequence[dg.RunRecord]) -> str:
    """How long it still is; empty: it is over."""
    if retraining is None or not last:
        return ""
    left = retraining.pause - (datetime.now(UTC) - last[0].create_timestamp.replace(tzinfo=UTC))
    return "" if left.total_seconds() <= 0 else short(type(left)(seconds=int(left.total_seconds()) + 1))


def _read(cursor: str | None) -> dict[str, Seen]:
    """What was remembered; what cannot be read is forgotten, which costs one more look and nothing else."""
    try:
        return {name: Seen(**one) for name, one in json.loads(cursor or "{}").items()}
    except (ValueError, TypeError, AttributeError):
        return {}
