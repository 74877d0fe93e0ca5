"""What a finished run or an overdue asset means for those who have to act: troubles, what passed again, and news."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import dagster as dg
from dagster import DagsterEventType as Event

from platform_ml.engine.ports import WHOLE
from platform_ml.orchestration.alert_sinks import masked, ui
from platform_ml.orchestration.alert_steps import after_check, after_failure, after_gate, is_drift, when_overdue
from platform_ml.spec.alert import Kind, Passed, Severity, Trouble, cause_of
from platform_ml.spec.model_card import ModelCard
from platform_ml.spec.project import upstream
from platform_ml.spec.registration import Registration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dagster._core.definitions.freshness import FreshnessStateChange

    from platform_ml.spec.project import Noun, Project

OF_CHECKS = (Kind.GATE, Kind.CHECK, Kind.DRIFT)
LONGEST = 600
"""Characters of a reason."""
WILL_RETRY = "dagster/will_retry"
"""The tag of a failed run that Dagster starts again by itself."""
REFUSED = "Not registered"
"""What the engine's sentence begins with when a model may not go in."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """An asset, and what declares it."""

    key: dg.AssetKey
    project: Project
    noun: Noun | None
    """None for what every project has beside its declarations."""

    @property
    def name(self) -> str:
        """Without the project."""
        return "/".join(self.key.path[1:])

    def between(self, first: str, last: str) -> tuple[str, ...]:
        """The partitions of a range."""
        noun = self.noun
        while noun is not None and not hasattr(noun, "cadence"):
            noun = next(iter(upstream(noun)), None)
        keys = noun.cadence.keys() if noun is not None and noun.cadence else []
        return tuple(key for key in keys if first <= key <= last) or (f"{first}...{last}",)


@dataclass(frozen=True)
class Places:
    """The assets of all projects."""

    projects: Sequence[Project]

    @cached_property
    def steps(self) -> Mapping[str, dg.AssetKey]:
        """What Dagster calls the step of an asset → the asset."""
        return {"__".join(key.path): key for key in self._nouns}

    @cached_property
    def _nouns(self) -> dict[dg.AssetKey, tuple[Project, Noun]]:
        return {dg.AssetKey([one.name, noun.name]): (one, noun) for one in self.projects for noun in one.nouns}

    def of(self, key: dg.AssetKey) -> Place | None:
        """None for assets of somebody else."""
        if key in self._nouns:
            project, noun = self._nouns[key]
            return Place(key=key, project=project, noun=noun)
        project_named = next((one for one in self.projects if one.name == key.path[0] and len(key.path) > 1), None)
        return Place(key=key, project=project_named, noun=None) if project_named else None

    def order(self, key: dg.AssetKey) -> int:
        """Upstream first."""
        return list(self._nouns).index(key) if key in self._nouns else len(self._nouns)


@dataclass
class RunFacts:
    """What the events of one finished run say, each check by its last word."""

    run: dg.DagsterRun
    checks: dict[tuple[dg.AssetKey, str, str], dg.AssetCheckEvaluation] = field(default_factory=dict)
    made: dict[dg.AssetKey, list[dg.AssetMaterialization]] = field(default_factory=dict)
    steps: dict[str, str] = field(default_factory=dict)
    """Failed step → why."""
    message: str = ""
    """Of the run's own failure."""

    @classmethod
    def read(cls, run: dg.DagsterRun, instance: dg.DagsterInstance) -> RunFacts:
        """From the event log."""
        facts = cls(run)
        kinds = {Event.ASSET_CHECK_EVALUATION, Event.ASSET_MATERIALIZATION, Event.STEP_FAILURE, Event.RUN_FAILURE}
        for entry in instance.all_logs(run.run_id, of_type=kinds):
            event = entry.dagster_event
            if event is None:
                continue
            match event.event_type:
                case Event.ASSET_CHECK_EVALUATION:
                    said = event.asset_check_evaluation_data
                    facts.checks[said.asset_key, said.check_name, _plain(said.partition)] = said
                case Event.ASSET_MATERIALIZATION:
                    made = event.step_materialization_data.materialization
                    facts.made.setdefault(made.asset_key, []).append(made)
                case Event.STEP_FAILURE:
                    facts.steps[str(event.step_key).partition("[")[0]] = _why(event)
                case Event.RUN_FAILURE:
                    facts.message = event.message or ""
        return facts

    @property
    def link(self) -> str:
        """The run's page."""
        return ui("runs", self.run.run_id)

    def partitions(self, place: Place) -> tuple[str, ...]:
        """Those of an asset that the run was about."""
        tags = self.run.tags
        if one := tags.get("dagster/partition"):
            return (one,)
        first, last = tags.get("dagster/asset_partition_range_start"), tags.get("dagster/asset_partition_range_end")
        return place.between(first, last) if first and last else ("",)


def passed(facts: RunFacts, places: Places) -> Iterator[Passed]:
    """What the run made, and which checks let through what they held up before."""
    for key, made in facts.made.items():
        if place := places.of(key):
            partitions = tuple(sorted({_plain(one.partition) for one in made}))
            yield Passed(
                kinds=(Kind.RUN, Kind.RETRAINED), project=place.project.name, asset=place.name, partitions=partitions,
                link=facts.link,
            )  # fmt: skip
    for (key, check), said in _by_check(facts).items():
        good = tuple(partition for partition, one in said.items() if one.passed or _is_waived(one))
        if good and (place := places.of(key)):
            yield Passed(
                kinds=OF_CHECKS, project=place.project.name, asset=place.name, partitions=good, cause=check,
                link=facts.link,
            )  # fmt: skip
    if facts.run.is_success:
        yield Passed(kinds=(Kind.RUN,), project="", asset=facts.run.job_name, partitions=("",), link=facts.link)


def troubles(facts: RunFacts, places: Places, instance: dg.DagsterInstance) -> Iterator[Trouble]:
    """Failed checks; and of a failed run the steps that no check explains, or the run where no step does."""
    explained = set[dg.AssetKey]()
    for (key, check), said in _by_check(facts).items():
        bad = {partition: one for partition, one in said.items() if not (one.passed or _is_waived(one))}
        if bad and (place := places.of(key)):
            yield _of_check(facts, place, check, bad)
            if any(one.severity is dg.AssetCheckSeverity.ERROR for one in bad.values()):
                explained.add(key)
    if not facts.run.is_failure or facts.run.tags.get(WILL_RETRY) == "true":
        return
    known = {step: places.of(places.steps[step]) if step in places.steps else None for step in facts.steps}
    for step, place in known.items():
        if place and place.key not in explained:
            yield _of_failure(facts, place, facts.steps[step])
    if not facts.steps or not all(known.values()):
        why = next((facts.steps[step] for step, place in known.items() if place is None), facts.message)
        yield from _of_run(facts, why, places, instance)


def overdue(change: FreshnessStateChange, places: Places) -> Trouble | Passed | None:
    """What a change of an asset's freshness means; None if nothing is known yet."""
    place, state = places.of(change.key), change.new_state.value
    if place is None or state not in {"PASS", "WARN", "FAIL"}:
        return None
    link = ui("assets", *change.key.path)
    if state == "PASS":
        return Passed(
            kinds=(Kind.OVERDUE,), project=place.project.name, asset=place.name, partitions=("",), link=link
        )  # fmt: skip
    late = state == "FAIL"
    return Trouble(
        kind=Kind.OVERDUE,
        severity=Severity.ERROR if late else Severity.WARNING,
        project=place.project.name,
        asset=place.name,
        cause="freshness",
        partitions=("",),
        why=f"{place.project.name}/{place.name} {'is overdue' if late else 'will soon be overdue'}: it was not made "
        "in the time that its freshness policy gives it.",
        step=when_overdue(place.project, place.noun),
        link=link,
        owner=place.project.owner,
    )


def _of_check(facts: RunFacts, place: Place, check: str, bad: Mapping[str, dg.AssetCheckEvaluation]) -> Trouble:
    partitions = tuple(sorted(bad))
    first = bad[partitions[0]]
    gate = isinstance(place.noun, ModelCard)
    kind = Kind.GATE if gate else Kind.DRIFT if is_drift(place.noun, check) else Kind.CHECK
    stops = any(one.severity is dg.AssetCheckSeverity.ERROR for one in bad.values())
    mild = Severity.INFO if "advisory" in first.metadata else Severity.WARNING
    more = f" It is the first of {len(bad):,} partitions." if len(bad) > 1 else ""
    if gate:
        step = after_gate(place.project, place.noun, partitions[0], stopped=stops)
    else:
        step = after_check(place.project, place.noun, check, partitions[0])
    return Trouble(
        kind=kind,
        severity=Severity.ERROR if stops else mild,
        project=place.project.name,
        asset=place.name,
        cause=check,
        partitions=partitions,
        why=_cut(f"{check}: {first.description or 'it did not pass.'}") + more,
        step=step,
        link=facts.link,
        owner=place.project.owner,
    )


def _of_failure(facts: RunFacts, place: Place, why: str) -> Trouble:
    partitions = facts.partitions(place)
    refused = isinstance(place.noun, Registration) and why.startswith(REFUSED)
    return Trouble(
        kind=Kind.RETRAINED if refused else Kind.RUN,
        severity=Severity.ERROR,
        project=place.project.name,
        asset=place.name,
        cause=cause_of(why),
        partitions=partitions,
        why=_cut(why),
        step=after_gate(place.project, place.noun, partitions[0])
        if refused
        else after_failure(place.project, place.noun, partitions),
        link=facts.link,
        owner=place.project.owner,
    )


def _of_run(facts: RunFacts, why: str, places: Places, instance: dg.DagsterInstance) -> Iterator[Trouble]:
    """The first asset that the run should have made and did not; the job where it is none of ours."""
    run = facts.run
    if run.asset_selection:
        asked = set(run.asset_selection)
    else:
        planned = instance.all_logs(run.run_id, of_type=Event.ASSET_MATERIALIZATION_PLANNED)
        asked = {one.dagster_event.asset_key for one in planned if one.dagster_event and one.dagster_event.asset_key}
    left = sorted(asked - set(facts.made), key=places.order)
    place = places.of(left[0]) if left else None
    if place:
        yield _of_failure(facts, place, why)
    elif not asked:
        yield Trouble(
            kind=Kind.RUN, severity=Severity.ERROR, project="", asset=run.job_name, cause=cause_of(why),
            partitions=("",), why=_cut(why), step="Open the run, mend what it names, and start the job again.",
            link=facts.link,
        )  # fmt: skip


def _by_check(facts: RunFacts) -> dict[tuple[dg.AssetKey, str], dict[str, dg.AssetCheckEvaluation]]:
    """Asset and check → partition → its verdict; that of a run as a whole only where no partition has its own."""
    found: dict[tuple[dg.AssetKey, str], dict[str, dg.AssetCheckEvaluation]] = {}
    for (key, check, partition), said in facts.checks.items():
        found.setdefault((key, check), {})[partition] = said
    return {
        name: {partition: one for partition, one in said.items() if partition or len(said) == 1}
        for name, said in found.items()
    }


def _is_waived(said: dg.AssetCheckEvaluation) -> bool:
    """Somebody answers for it."""
    return "waived_by" in said.metadata


def _why(event: dg.DagsterEvent) -> str:
    """The sentence of the innermost error: those around it only say that there was one."""
    data = event.step_failure_data
    if data.user_failure_data and data.user_failure_data.description:
        return masked(data.user_failure_data.description)
    error = data.error
    while error and error.cause:
        error = error.cause
    return masked(error.message.strip() if error else event.message or "No reason was given.")


def _cut(text: str) -> str:
    plain = masked(" ".join(text.split()))
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 1] + "…"


def _plain(partition: str | None) -> str:
    return "" if partition in {None, WHOLE} else str(partition)
