"""Alerts: one sensor looks at every run that ended and at what is overdue, and sends what has to be known."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

import dagster as dg
from dagster import DagsterEventType as Event

from platform_ml.orchestration.alert_facts import Places, RunFacts, overdue, passed, troubles
from platform_ml.orchestration.alert_sinks import book, sinks, ui
from platform_ml.spec.alert import Alert, Kind, Passed, Severity, Trouble
from platform_ml.spec.errors import PlatformError
from platform_ml.spec.naming import counted
from platform_ml.spec.registration import Registration
from platform_ml.spec.stage import Stage, Standing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dagster import EventLogRecord

    from platform_ml.engine.alert_book import Entry
    from platform_ml.engine.alerts import Sink
    from platform_ml.engine.ports import Registry
    from platform_ml.orchestration.alert_facts import Place
    from platform_ml.orchestration.resources import PlatformResource
    from platform_ml.spec.project import Project

    End = Literal[Event.RUN_SUCCESS, Event.RUN_FAILURE, Event.RUN_CANCELED]

ENDS: tuple[End, ...] = (Event.RUN_SUCCESS, Event.RUN_FAILURE, Event.RUN_CANCELED)
EVERY = 30
"""Seconds between two looks."""
FIRST_LOOK = timedelta(days=1)
"""How far back it looks where it never looked before."""
PAGE = 500
OVERLAP = 200
"""Events that are looked at again: one with a lower number may be committed later."""
READING, SENDING = 20.0, 20.0
"""Seconds of one tick, of the 60 that Dagster gives it."""
RUNS, FRESHNESS = "runs", "freshness"


def alerts_sensor(projects: Sequence[Project], platform: PlatformResource) -> dg.SensorDefinition:
    """It starts no runs."""

    @dg.sensor(
        name="alerts",
        minimum_interval_seconds=EVERY,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Tell about failed runs, gates and checks, drift, what is overdue, and trained models: to the log, and to "
            "the webhook and mailbox that the environment names. `platform-ml alerts` lists what is open."
        ),
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        return dg.SkipReason(look(context.instance, projects, platform, sinks(context.log)))

    return sensor


def look(
    instance: dg.DagsterInstance,
    projects: Sequence[Project],
    platform: PlatformResource,
    to: Sequence[Sink],
    *,
    now: datetime | None = None,
) -> str:
    """Write down what happened since the last look, send what waits, and say so in a sentence."""
    places, kept = Places(projects), book(platform)
    with kept.looking(to, now=now) as entry:
        runs = 0
        for run in _ended(instance, entry):
            facts, runs = RunFacts.read(run, instance), runs + 1
            for again in passed(facts, places):
                entry.clear(again)
            for trouble in troubles(facts, places, instance):
                entry.see(trouble)
            for alert in _registered(facts, places, platform, entry):
                entry.tell(alert)
        for change in _freshness(instance, entry, places):
            entry.see(change) if isinstance(change, Trouble) else entry.clear(change)
    sent = kept.send(to, seconds=SENDING)
    waiting = sum(one.messages for one in kept.waiting().values())
    more = f" {waiting:,} wait for a sink: platform-ml alerts says why." if waiting else ""
    return f"Since the last look: {counted(runs, 'run')} ended, {counted(sum(sent.values()), 'message')} sent.{more}"


def _ended(instance: dg.DagsterInstance, entry: Entry) -> Iterator[dg.DagsterRun]:
    """The runs that have ended since the last look, each once, oldest first, as far as there is time."""
    before, until = entry.cursor(RUNS), time.monotonic() + READING
    records = _since(instance, entry.now, before)
    if not records and before is not None and (newest := _newest(instance)) is not None and newest < before:
        records = _since(instance, entry.now, None)  # Dagster's storage was made anew, and counts from 1 again
        entry.move(RUNS, 0)
    for record in records:
        if time.monotonic() > until:
            return
        run_id = record.event_log_entry.run_id
        if entry.first_time(f"run {run_id}") and (run := instance.get_run_by_id(run_id)):
            yield run
        entry.move(RUNS, max(record.storage_id, entry.cursor(RUNS) or 0))


def _since(instance: dg.DagsterInstance, now: datetime, before: int | None) -> list[EventLogRecord]:
    """All ends of runs after a number; where one kind fills its page, no further than that."""
    found: list[EventLogRecord] = []
    whole: list[int] = []
    for kind in ENDS:
        asked = dg.RunStatusChangeRecordsFilter(
            event_type=kind,
            after_timestamp=(now - FIRST_LOOK).timestamp() if before is None else None,
            after_storage_id=None if before is None else max(before - OVERLAP, 0),
        )
        records = instance.fetch_run_status_changes(asked, limit=PAGE, ascending=True).records
        found += records
        whole += [records[-1].storage_id] if len(records) == PAGE else []
    return sorted(
        (record for record in found if not whole or record.storage_id <= min(whole)), key=lambda one: one.storage_id
    )


def _newest(instance: dg.DagsterInstance) -> int | None:
    newest = [instance.fetch_run_status_changes(kind, limit=1).records for kind in ENDS]
    return max((records[0].storage_id for records in newest if records), default=None)


def _freshness(instance: dg.DagsterInstance, entry: Entry, places: Places) -> Iterator[Trouble | Passed]:
    before = entry.cursor(FRESHNESS)
    asked = dg.EventRecordsFilter(
        event_type=Event.FRESHNESS_STATE_CHANGE,
        after_cursor=None if before is None else max(before - OVERLAP, 0),
        after_timestamp=(entry.now - FIRST_LOOK).timestamp() if before is None else None,
    )
    for record in instance.event_log_storage.get_event_records(asked, limit=PAGE, ascending=True):
        event, moment = record.event_log_entry.dagster_event, record.event_log_entry.timestamp
        if event and entry.first_time(f"freshness {record.storage_id} {moment}"):
            change = overdue(event.event_specific_data, places)  # type: ignore[arg-type]
            if change:
                yield change
        entry.move(FRESHNESS, max(record.storage_id, entry.cursor(FRESHNESS) or 0))


def _registered(facts: RunFacts, places: Places, platform: PlatformResource, entry: Entry) -> Iterator[Alert]:
    """The versions that a run has registered, each told once."""
    for key, made in facts.made.items():
        place = places.of(key)
        if place is None or not isinstance(place.noun, Registration):
            continue
        for one in made:
            said = {name: value.value for name, value in one.metadata.items()}
            if "version" in said and entry.first_time(f"registered {said['registered']} {said.get('alias', '')}"):
                yield _of_version(facts, place, one.partition or "", said, platform, entry.now)


def _of_version(
    facts: RunFacts, place: Place, cutoff: str, said: Mapping[str, object], platform: PlatformResource, now: datetime
) -> Alert:
    version, alias = f"{said['registered']}", f"{said.get('alias') or ''}"
    registration = place.noun
    if not isinstance(registration, Registration):
        raise TypeError(registration)
    compared = against_champion(registration, int(f"{said['version']}"), platform.mlflow().registry())
    became = f"and is {alias}" if alias else f"and another version stays {registration.alias}"
    step = f"Read its card: platform-ml card {version}"
    if alias != Stage.CHAMPION:
        step += f". To use it: platform-ml promote {version} --why ..."
    return Alert(
        kind=Kind.RETRAINED,
        severity=Severity.INFO,
        project=place.project.name,
        asset=place.name,
        why=f"{version} was registered, {became}. {compared}",
        step=step,
        link=facts.link,
        when=now,
        partitions=(cutoff,) if cutoff else (),
        owner=place.project.owner,
    )


def against_champion(registration: Registration, version: int, registry: Registry) -> str:
    """The first metric of a version on its test rows, beside that of the champion before it, or of today's."""
    metric = registration.card.evaluation.metrics[0]
    try:
        history = registry.history(registration.name)
        place = next((n for n, one in enumerate(history) if one.version == version), len(history))
        champion = Standing.of(history[:place]).holder(Stage.CHAMPION)
        own = (registry.promoted(registration.name, str(version)) or {}).get(f"test.{metric.name}", "unknown")
        said = f"{metric.title} on its test rows: {own}"
        if champion is None or champion == version:
            return f"{said}. There was no champion before it."
        other = (registry.promoted(registration.name, str(champion)) or {}).get(f"test.{metric.name}", "unknown")
    except PlatformError:
        return "MLflow does not answer, so its metric is not known here."
    return f"{said}; the champion, {registration.name}@{champion}, had {other} on its own."


def trial(now: datetime | None = None) -> Alert:
    """What `platform-ml alerts --test` sends."""
    return Alert(
        kind=Kind.TEST,
        severity=Severity.INFO,
        project="",
        asset="",
        why="Somebody tries whether alerts arrive. They do.",
        step="Nothing is left to do.",
        link=ui(),
        when=now or datetime.now(tz=UTC),
    )
