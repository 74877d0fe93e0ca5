"""What is known of a registered model and of what came in since: the numbers that triggers judge."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from platform_ml.engine import evaluation as evaluations
from platform_ml.engine import tuned_model as models
from platform_ml.engine.bootstrap import Subject, measure, resampled
from platform_ml.engine.dataset_checks import KIND as DATASETS
from platform_ml.engine.incoming import incoming_drift
from platform_ml.engine.ports import Files
from platform_ml.engine.serving import in_use, unlike_training
from platform_ml.engine.staleness import stale
from platform_ml.engine.training_dataset import is_current, shaped
from platform_ml.spec.errors import PlatformError
from platform_ml.spec.evaluation import EvaluationResult
from platform_ml.spec.fingerprint import digest, fingerprint
from platform_ml.spec.project import Project
from platform_ml.spec.trigger import Performance, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifact, Snapshot
    from platform_ml.spec.registration import Registration
    from platform_ml.spec.training_dataset import TrainingDataset
    from platform_ml.spec.trigger import Reads

FEWEST = 20
"""Rows that a metric is measured on."""
RESAMPLES = 200
"""Of the rows that became known, for the interval of a metric, at most."""


@dataclass(frozen=True, kw_only=True)
class Standpoint:
    """Where a registration stands, as far as it costs nothing to know."""

    newest: str
    """The newest cutoff that has all of its rows; empty: none."""
    inputs: str
    """Digest of the rows that a dataset of this cutoff would be cut from, and of how."""
    trained: Artifact | None
    """The newest model, of the newest cutoff, whether or not its gates passed."""
    in_use: Mapping[str, str]
    """The tags of the version in use; empty: none."""
    view: Snapshot | None
    basis: str
    """The same as long as nothing changed that triggers judge."""
    is_made: bool
    """Whether the newest model is the one that would be trained now."""


def standpoint(registration: Registration, *, work: Work) -> Standpoint:
    """What there is to train on, and what there is already; `UnreachableError` when the registry does not answer."""
    model = registration.card.evaluation.model
    dataset, tables = model.dataset, work.platform.tables
    view = tables.snapshot(work.table(dataset.view))
    newest = newest_cutoff(dataset, view)
    keys = _keys(dataset, newest) if newest else []
    rows = {key: view.partitions[key].content for key in keys} if view else {}
    trained = _newest_model(registration, work)
    registered = work.platform.registry.promoted(registration.name, registration.alias) or {}
    read = [tables.snapshot(work.table(group)) for group in dataset.view.groups]
    versions = {one.table: one.version for one in (view, *read) if one}
    inputs = digest({"of": fingerprint(dataset), "rows": rows})
    rule = registration.retraining.rule if registration.retraining else ""  # no part of the fingerprint
    said = (newest, inputs, trained.digest if trained else "", dict(registered), versions, rule)
    return Standpoint(
        newest=newest,
        inputs=inputs,
        trained=trained,
        in_use=registered,
        view=view,
        basis=digest({"of": fingerprint(registration), "seen": said}),
        is_made=bool(newest and trained and _is_of(trained, newest, registration, work)),
    )


def newest_cutoff(dataset: TrainingDataset, view: Snapshot | None) -> str:
    """The latest moment whose dataset has all of its view partitions and room for every split; empty: none yet."""
    there = view.partitions if view else {}
    for key in reversed(dataset.cadence.keys()):
        keys = _keys(dataset, key)
        if keys and dataset.is_trainable(dataset.cadence.day(key)) and all(one in there for one in keys):
            return key
    return ""


def collect(registration: Registration, at: Standpoint, *, reads: frozenset[Reads], work: Work) -> State:
    """The numbers that triggers judge; only what is read is measured, and what cannot be is named with the reason."""
    model = registration.card.evaluation.model
    trained = str(at.trained.record["cutoff"]) if at.trained else ""
    found: dict[str, Any] = {"trained": trained, "newest": at.newest, "new_rows": _new_rows(registration, at, work)}
    if trained and at.newest:
        found["new_days"] = (date.fromisoformat(at.newest) - date.fromisoformat(trained)).days
    gaps: dict[Reads, str] = {}
    if "features" in reads and at.trained is not None:
        try:
            found["drift"] = incoming_drift(model.dataset, _dataset_of(registration, at.trained, work), work=work)
        except PlatformError as error:
            gaps["features"] = str(error)
    if "performance" in reads and at.in_use:
        try:
            found |= _performance(registration, at, work)
        except PlatformError as error:
            found["in_use"] = registration.name
            gaps["performance"] = str(error)
    return State(**found, gaps=gaps)


def waits_for(project: Project, registration: Registration, cutoff: str, *, work: Work) -> str:
    """What has to be made again before the rows of a cutoff are as they should be; empty: nothing."""
    dataset = registration.card.evaluation.model.dataset
    part = Project(name=project.name, description="", owner=project.owner, outputs=(registration,))
    found = stale(part, work).get(dataset.view.name, {})
    keys = _keys(dataset, cutoff)
    some = [key for key in keys if key in found]
    if not some:
        return ""
    return (
        f"{len(some):,} of {len(keys):,} partitions of {dataset.view.name} are stale, first {some[0]}: {found[some[0]]}"
    )


def _keys(dataset: TrainingDataset, cutoff: str) -> list[str]:
    return dataset.view_keys(dataset.cadence.day(cutoff))


def _newest_model(registration: Registration, work: Work) -> Artifact | None:
    kept = work.platform.artifacts.versions(f"{models.KIND}/{work.project}/{registration.card.evaluation.model.name}")
    # Of one place the newest comes last, and of equal ones `max` takes the first.
    return max(reversed(kept), key=lambda one: str(one.record["cutoff"]), default=None)


def _is_of(trained: Artifact, cutoff: str, registration: Registration, work: Work) -> bool:
    """Whether a model was trained, as it is declared now, on the rows that there are now."""
    model = registration.card.evaluation.model
    newest = work.platform.artifacts.newest(work.place(DATASETS, model.dataset, cutoff))
    return (
        newest is not None
        and (trained.record["cutoff"], trained.record["dataset"]) == (cutoff, newest.digest)
        and trained.record["fingerprint"] == fingerprint(model)
        and is_current(model.dataset, cutoff, work=work)
    )


def _dataset_of(registration: Registration, trained: Artifact, work: Work) -> Artifact | None:
    dataset = registration.card.evaluation.model.dataset
    kept = work.platform.artifacts.versions(f"{DATASETS}/{work.project}/{dataset.name}")
    return next((one for one in kept if one.digest == trained.record["dataset"]), None)


def _new_rows(registration: Registration, at: Standpoint, work: Work) -> int:
    """Rows of partitions that the newest model was not made of, and by how many the others have grown."""
    if at.view is None or not at.newest:
        return 0
    dataset = registration.card.evaluation.model.dataset
    made_of = _dataset_of(registration, at.trained, work) if at.trained else None
    seen = made_of.record["view"]["partitions"] if made_of else {}
    oldest = min(seen, default="")  # what has moved out of the window was seen by models before
    keys = [key for key in _keys(dataset, at.newest) if key >= oldest]
    return sum(max(0, at.view.partitions[key].rows - seen.get(key, {"rows": 0})["rows"]) for key in keys)


def _performance(registration: Registration, at: Standpoint, work: Work) -> dict[str, Any]:
    """The version in use on the labelled rows after its cutoff, beside the numbers that it was registered with."""
    evaluation = registration.card.evaluation
    found = in_use(registration, work=work)
    called = f"{registration.name}@{found.record['version']}"
    seen = _keys(evaluation.model.dataset, str(found.record["cutoff"]))[-1]
    later = sorted(key for key in (at.view.partitions if at.view else {}) if key > seen)
    rows = sum(at.view.partitions[key].rows for key in later) if at.view else 0
    said: dict[str, Any] = {"in_use": called, "known_rows": rows}
    if rows < FEWEST or at.view is None:
        return said
    if wrong := unlike_training(found, evaluation.model.dataset.view):
        raise PlatformError(f"its features are not those of today: {'; '.join(wrong)}")
    then = _numbers(registration, str(found.record["evaluation"]), work)
    files = Files(paths=at.view.paths(later), schema=at.view.schema)
    table = work.platform.compute.query("SELECT * FROM rows", {"rows": files}).table()
    split = shaped(evaluation.model.dataset, table, found.dataset, "later")
    served = found.load()
    subject = Subject.of(split, served.predictor.predict(split.features.select(list(served.features))))
    blocks = resampled(
        split, resamples=min(RESAMPLES, evaluation.resamples), seed=f"{found.trained.digest}/{later[-1]}"
    )
    now = measure(evaluation.metrics, {"now": subject}, blocks)["now"]
    return said | {
        "performance": {
            metric.name: Performance(
                title=metric.title, goal=metric.goal, then=then.test(metric.name), now=now[metric.name].estimate()
            )
            for metric in evaluation.metrics
        }
    }


def _numbers(registration: Registration, digest_: str, work: Work) -> EvaluationResult:
    """What the version was registered with."""
    place = f"{evaluations.KIND}/{work.project}/{registration.card.evaluation.name}"
    kept = work.platform.artifacts.versions(place)
    one = next((one for one in kept if one.digest == digest_), None)
    if one is None or one.damage():
        raise PlatformError(f"the numbers that it was registered with, {digest_[:12]}, are not here")
    return EvaluationResult.from_json(json.loads((one.folder / evaluations.FILE).read_text(encoding="utf-8")))
