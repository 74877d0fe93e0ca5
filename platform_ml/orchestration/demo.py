"""One project from example files to a registered model, through Dagster, doing only what is needed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from platform_ml.engine import card_artifact as cards
from platform_ml.engine import evaluation as evaluations
from platform_ml.engine import tuned_model as models
from platform_ml.engine.cutoff import held_back, is_registered, model_path
from platform_ml.engine.landing import deliver, deliver_export, read_export
from platform_ml.engine.ports import WHOLE
from platform_ml.engine.staleness import cadence_of, stale
from platform_ml.engine.upstream import Table
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.orchestration.ui import mlflow_command
from platform_ml.spec.errors import MissingInputError, PlatformError
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.naming import counted
from platform_ml.spec.registration import Registration
from platform_ml.spec.source import Source
from platform_ml.spec.stage import Standing
from platform_ml.spec.window import Calendar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.engine.platform import Work
    from platform_ml.spec.evaluation import Estimate
    from platform_ml.spec.project import Noun, Project
    from platform_ml.spec.training_dataset import TrainingDataset
    from platform_ml.spec.window import Cadence

PREFIX = re.compile(r"^\d{4}-\d\d-\d\d [\d:]+ [+-]\d{4} - dagster - (?P<level>[A-Z]+) - (?P<rest>.*)$")
OWN = re.compile(r"^[\w-]+ - [0-9a-f-]{36} - (?P<step>[\w-]+) - (?P<message>.*)$")

REASON = re.compile(r"^(dagster\S*Failure|platform_ml\.\S+): (?P<reason>.+)$")
RUNS = 2
"""Side by side: a run waits for its steps one after the other, and each of them is a process."""
TAIL = 200
"""Lines of a run that are kept to find out why it failed."""


def land(project: Project, export: Path | None = None) -> None:
    """Deliver the example files that are not there yet, or the files of an export in their place."""
    work = _work(project)
    if export is not None:
        _land_export(project, export, work)
        return
    for source in project.all(Source):
        if source.example:
            count = deliver(source, work=work)
            _say(f"landing/{project.name}/{source.name}: {f'{count} new files' if count else 'all files are there'}")


def _land_export(project: Project, export: Path, work: Work) -> None:
    sources = {f"{source.name}{source.format.suffix}": source for source in project.all(Source) if source.format}
    if missing := [name for name in sources if not (export / name).is_file()]:
        raise MissingInputError(f"{export} has no file {missing[0]}. It needs {', '.join(sources)}.")
    for name, source in sources.items():  # all fit, or none is delivered: data of two kinds would be mixed
        read_export(source, export / name, work=work)
    for name, source in sources.items():
        count = deliver_export(source, export / name, work=work)
        _say(f"landing/{project.name}/{source.name}: {count} files of {export / name}")


def demo(project: Project) -> int:
    """Land, materialize what is missing or stale, register, and say what came of it."""
    import dagster as dg

    from platform_ml.orchestration.killed import end_killed

    project = project.demo
    work = _work(project)
    with dg.DagsterInstance.get() as instance:
        end_killed(instance)  # a demonstration that was killed holds places that this one would wait for
    _say(f"1/4  Landing example data of {project.name}")
    land(project)
    _say("2/4  Sources and features")
    _materialize(project, [*project.all(Source), *project.all(FeatureGroup)], work)
    _say("3/4  Labels and feature views")
    tables = dict.fromkeys(noun for r in project.all(Registration) for noun in _view_path(r))
    _materialize(project, list(tables), work)
    _say("4/4  Training dataset, model, evaluation, card, registration")
    todo = dict[tuple[Calendar, str], list[str]]()
    cutoffs = [(registration, _cutoff(project, registration)) for registration in project.all(Registration)]
    for registration, cutoff in cutoffs:
        if is_registered(registration, cutoff, work):
            _say(f"     {registration.name} of cutoff {cutoff} is registered and up to date")
        elif registration in project.demo_refused and held_back(registration, cutoff, work):
            _say(f"     {registration.name} of cutoff {cutoff} is held back by its gates, as this project shows")
        else:
            keys = todo.setdefault((_dataset(registration).cadence, cutoff), [])
            keys += [_asset(project, noun) for noun in model_path(registration)]
    with ThreadPoolExecutor(RUNS) as pool:  # models of the same partitions are steps of one run
        runs = [
            pool.submit(run_dagster, list(dict.fromkeys(keys)), partition=cutoff, check=False)
            for (_, cutoff), keys in todo.items()
        ]
    failed = max((run.result() for run in runs), default=0)
    for registration, cutoff in cutoffs:
        _summary(project, registration, cutoff, work)
    return int(not as_planned(project, cutoffs, work)) if project.demo_refused else failed


def as_planned(project: Project, cutoffs: Sequence[tuple[Registration, str]], work: Work) -> bool:
    """Whether gates held back what should be refused, and all else was registered: a run with a red check fails."""
    _say("\nWhat this project shows")
    right = True
    for registration, cutoff in cutoffs:
        held = held_back(registration, cutoff, work)
        if held:
            happened = "held back"
            said = f"held back by {', '.join(held)}. Its check is red in Dagster, and it is not registered"
        elif is_registered(registration, cutoff, work):
            happened, said = "registered", "passed its gates, and is registered"
        else:
            happened, said = "nothing", "neither registered nor held back by a gate: see the run above"
        planned = "held back" if registration in project.demo_refused else "registered"
        right &= happened == planned
        _say(f"{registration.name}: {said}{', as planned' if happened == planned else f'. NOT as planned: {planned}'}.")
    return right


def _dataset(registration: Registration) -> TrainingDataset:
    return registration.card.evaluation.model.dataset


def _cutoff(project: Project, registration: Registration) -> str:
    return str(project.demo_cutoff or _dataset(registration).cadence.keys()[-1])


def _view_path(registration: Registration) -> list[Noun]:
    return [_dataset(registration).view.label, _dataset(registration).view]


def _materialize(project: Project, nouns: Sequence[Noun], work: Work) -> None:
    """One run per cadence, over the span of what is stale."""
    why = stale(project, work)
    todo = [noun for noun in nouns if noun.name in why]
    if not todo:
        _say("     everything is up to date")
        return
    reference = [noun for noun in todo if list(why[noun.name]) == [WHOLE]]
    timed = [noun for noun in todo if noun not in reference]
    if reference:
        run_dagster([_asset(project, noun) for noun in reference])
    # The longer ones are made of the shorter ones, and one run has one kind of partitions.
    for cadence in sorted({_cadence(noun) for noun in timed}, key=lambda one: (one.days, one.first)):
        some = [noun for noun in timed if _cadence(noun) == cadence]
        keys = sorted({key for noun in some for key in why[noun.name]})
        between = keys[0] if len(keys) == 1 else f"{keys[0]} to {keys[-1]}"
        reasons = sorted({reason for noun in some for reason in why[noun.name].values()})
        _say(f"     {counted(len(keys), 'partition')}, {between}: {', '.join(reasons)}")
        run_dagster([_asset(project, noun) for noun in some], span=(keys[0], keys[-1]))


def _cadence(noun: Noun) -> Cadence:
    """The partitions of a noun that has some."""
    cadence = cadence_of(noun) if isinstance(noun, Table) else None
    if cadence is None:
        raise TypeError(noun)
    return cadence


def run_dagster(
    keys: Sequence[str], *, partition: str = "", span: tuple[str, str] | None = None, check: bool = True
) -> int:
    """Run `dagster asset materialize` as a user would, and show what the assets say."""
    command = ["dagster", "asset", "materialize", "-m", "platform_ml.definitions", "--select", ",".join(keys)]
    command += ["--partition", partition] if partition else []
    command += ["--partition-range", "...".join(span)] if span else []
    _say(f"     $ {' '.join(repr(part) if ' ' in part else part for part in command)}")
    tail: list[str] = []
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ | {"PATH": path}
    ) as process:
        for line in process.stdout or ():
            tail = [*tail[-TAIL:], line.rstrip()]
            _show(line.rstrip())
    if process.returncode and check:
        reasons = [found["reason"] for found in map(REASON.match, tail) if found]
        raise PlatformError(reasons[0] if reasons else "Dagster's run failed. Its last lines:\n" + "\n".join(tail))
    return process.returncode


def _show(line: str) -> None:
    found = PREFIX.match(line)
    own = OWN.match(found["rest"]) if found else None
    if found and own and found["level"] in ("INFO", "WARNING", "ERROR"):
        _say(f"     {own['message']}")


def _summary(project: Project, registration: Registration, cutoff: str, work: Work) -> None:
    """A short table: tables, metrics, gates, version, and where to look."""
    evaluation = registration.card.evaluation
    result = evaluations.load(evaluation, cutoff, work=work)
    print(f"\n{project.name} / {registration.name}, cutoff {cutoff}\n{'=' * 60}")
    print(f"{'table':<28}{'partitions':>12}{'rows':>14}")
    for noun in project.nouns:
        snapshot = work.platform.tables.snapshot(work.table(noun))
        if snapshot:
            rows = sum(state.rows for state in snapshot.partitions.values())
            print(f"{noun.name:<28}{len(snapshot.partitions):>12,}{rows:>14,}")
    names, width = list(result.titles), 2 + max(18, *map(len, result.titles.values()))
    print(
        f"\n{'on ' + format(result.splits['test'].rows, ',') + ' test rows':<28}"
        + "".join(f"{result.titles[n]:>{width}}" for n in names)
    )
    print(f"{evaluation.model.name:<28}" + "".join(f"{_short(result.test(n)):>{width}}" for n in names))
    for name, baseline in result.baselines.items():
        print(f"{'baseline: ' + name:<28}" + "".join(f"{_short(baseline.metrics[n]):>{width}}" for n in names))
    print()
    for verdict in registration.judge(result):
        more = f" {verdict.waiver.says}" if verdict.waiver else " (advice only)" if verdict.advisory else ""
        print(f"{'PASSED' if verdict.passed else verdict.outcome.upper():<8}{verdict.gate}: {verdict.reason}{more}")
    trained = models.load(evaluation.model, cutoff, work=work)
    tags = {"model_digest": trained.digest, "cutoff": cutoff}
    version = work.platform.registry.find(registration.name, tags)
    card = cards.load(registration.card, cutoff, work=work).folder / "card.html"
    standing = Standing.of(work.platform.registry.history(registration.name))
    state = (
        f"{registration.name} version {version}, {standing.stage(int(version))}"
        if version
        else "NO: see the gates above"
    )
    print(f"\nregistered   {state}")
    print(f"model card   {card}")
    print(f"catalog      platform-ml catalog {project.name}")
    print("Dagster UI   make ui, then http://localhost:3000")
    print(f"MLflow UI    {mlflow_command()}")


def _short(estimate: Estimate) -> str:
    return "-" if estimate.value is None else f"{estimate.value:.4f}"


def _asset(project: Project, noun: Noun) -> str:
    return f"{project.name}/{noun.name}"


def _work(project: Project) -> Work:
    return PlatformResource().work(project.name, lambda text: _say(f"     {text}"))


def _say(text: str) -> None:
    print(text, flush=True)
