"""What CI materializes: the assets that a commit changed, on as little data as they can be made from, gates included.

A table is made for one partition, a model for the cutoff of its project's demonstration; both with everything
upstream, because a fresh checkout has nothing. Where no asset changed, it is the smallest project, so that the way
from a delivered file to a registered model is gone once in every build.
"""

from __future__ import annotations

import json
import shutil
import sys
import warnings
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from platform_ml.adapters.log import Log
from platform_ml.engine import card_artifact as cards
from platform_ml.engine.cutoff import model_path
from platform_ml.engine.landing import deliver
from platform_ml.engine.ports import WHOLE
from platform_ml.engine.staleness import is_due, partitions_of
from platform_ml.engine.upstream import Table, upstream
from platform_ml.orchestration.alert_sinks import book
from platform_ml.orchestration.alerts import look
from platform_ml.orchestration.asset import key
from platform_ml.orchestration.build import project_assets
from platform_ml.orchestration.demo import as_planned
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.spec.errors import MissingInputError, PlatformError
from platform_ml.spec.registration import Registration
from platform_ml.spec.source import Source

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from platform_ml.spec.project import Noun, Project

    Needed = dict[str, set[str]]
    """Table → its partitions."""

RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


def cut(names: Collection[str], projects: Sequence[Project], platform: PlatformResource, *, to: Path) -> bool:
    """Materialize these assets and put cards and alerts into a folder; whether everything came out as planned."""
    instance, right = dg.DagsterInstance.get(), True
    for project in projects:
        asked = [noun for noun in project.nouns if f"{project.name}/{noun.name}" in names]
        if asked:
            right &= _cut(project, asked, platform, instance, to)
    (to / "alerts").mkdir(parents=True, exist_ok=True)
    look(instance, projects, platform, [Log()])  # nobody is called because of a build
    told = [problem.to_json() for problem in book(platform).problems()]
    (to / "alerts" / "open.json").write_text(json.dumps(told, indent=1, ensure_ascii=False), encoding="utf-8")
    return right


def smallest(projects: Sequence[Project]) -> list[str]:
    """The assets of the project with the fewest partitions."""
    project = min(
        projects, key=lambda one: sum(len(partitions_of(noun)) for noun in one.nouns if isinstance(noun, Table))
    )
    return [f"{project.name}/{noun.name}" for noun in project.nouns]


def _cut(
    project: Project, asked: Sequence[Noun], platform: PlatformResource, instance: dg.DagsterInstance, to: Path
) -> bool:
    registrations = [one for one in project.all(Registration) if any(noun in model_path(one) for noun in asked)]
    cutoffs = [(one, _cutoff(project, one)) for one in registrations]
    needed: Needed = {}
    for noun in asked:
        if isinstance(noun, Table):
            due = [one for one in partitions_of(noun) if is_due(noun, one)]
            _need(noun, due[-1:], needed)
    for registration, cutoff in cutoffs:
        dataset = registration.card.evaluation.model.dataset
        _need(dataset.view, dataset.view_keys(dataset.cadence.day(cutoff)), needed)
    work = platform.work(project.name, lambda text: print(text, flush=True))
    for noun in project.nouns:
        if keys := needed.get(noun.name):
            if isinstance(noun, Source) and noun.example:
                deliver(_between(noun, keys), work=work)
            _run(project, [noun], sorted(keys), platform, instance)
    for registration, cutoff in cutoffs:  # its gates may hold it back: whether that is as planned is said below
        _run(project, model_path(registration), [cutoff], platform, instance, check=False)
        with suppress(MissingInputError):  # it did not come so far: the run says why, and `as_planned` that it is wrong
            card = cards.load(registration.card, cutoff, work=work)
            shutil.copytree(card.folder, to / "cards" / project.name / registration.card.name, dirs_exist_ok=True)
    shown = replace(project, demo_refused=tuple(one for one in project.demo_refused if one in registrations))
    return as_planned(shown, cutoffs, work)


def _need(noun: Table, keys: Iterable[str], needed: Needed) -> None:
    """These partitions and all that they are made of."""
    new = set(keys) - needed.setdefault(noun.name, set())
    needed[noun.name] |= new
    for one in new:
        for parent, read in upstream(noun, one):
            _need(parent, read, needed)


def _run(
    project: Project,
    nouns: Sequence[Noun],
    keys: Sequence[str],
    platform: PlatformResource,
    instance: dg.DagsterInstance,
    *,
    check: bool = True,
) -> None:
    many = {RANGE[0]: keys[0], RANGE[1]: keys[-1]} if len(keys) > 1 else {}
    one = keys[0] if len(keys) == 1 and keys[0] != WHOLE else None
    with warnings.catch_warnings():
        # Dagster 1.13 on Python 3.12 and newer, when a check of a range is stored.
        warnings.filterwarnings("ignore", "datetime.datetime.utcfromtimestamp", DeprecationWarning)
        done = dg.materialize(
            project_assets(project),
            selection=[key(project, noun) for noun in nouns],
            partition_key=one,
            tags=many,
            instance=instance,
            resources={"platform": platform},
            raise_on_error=False,
        )
    if check and not done.success:
        names = ", ".join(noun.name for noun in nouns)
        raise PlatformError(f"{project.name}: {names} cannot be materialized. The log above says why.")


def _between(source: Source, keys: Collection[str]) -> Source:
    """The source from the first to the last of these partitions."""
    if source.cadence is None:
        return source
    days = [source.cadence.day(one) for one in keys]
    return replace(source, cadence=replace(source.cadence, first=min(days), last=max(days)))


def _cutoff(project: Project, registration: Registration) -> str:
    return str(project.demo_cutoff or registration.card.evaluation.model.dataset.cadence.keys()[-1])


def main(changes: str, to: str, projects: Sequence[Project]) -> int:
    """Cut what a file names that `platform-ml changed --json` wrote, into a folder; the exit code."""
    try:
        found = json.loads(Path(changes).read_text(encoding="utf-8"))
        names = [*found["changed"], *found["added"]] or smallest(projects)
        return 0 if cut(names, projects, PlatformResource(data=str(Path(to, "data"))), to=Path(to)) else 1
    except PlatformError as error:
        print(f"cut: {error}", file=sys.stderr)
        return 1
