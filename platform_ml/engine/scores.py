"""Scores: the population of a moment, its features as of then, and what the model in use says of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from platform_ml.checks import PSI, JensenShannon
from platform_ml.checks.distances import pooled
from platform_ml.engine import labels, serving
from platform_ml.engine.audit import ONE_EACH, TABLE_CHECKS, VOLUME, Check, Expectation, Finding
from platform_ml.engine.content import content_hash
from platform_ml.engine.feature_view import (
    NOT_AHEAD,
    features_at,
    features_read,
    group_keys,
    groups_needed,
    not_ahead,
)
from platform_ml.engine.ports import PARTITION, Files
from platform_ml.engine.predictions import predicted
from platform_ml.engine.schema import arrow_schema
from platform_ml.engine.skew import SKEW, skew_finding
from platform_ml.engine.statistics import measure
from platform_ml.engine.table import Materialized, Staged, chunks, publish, split, versions
from platform_ml.spec.errors import MissingInputError
from platform_ml.spec.family import Categorical
from platform_ml.spec.feature_group import EVENT_TIME
from platform_ml.spec.fingerprint import digest, fingerprint
from platform_ml.spec.naming import counted
from platform_ml.spec.scores import PREDICTED, SCORE
from platform_ml.spec.task import CLUSTERING, MULTICLASS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifact, Snapshot, Stamp
    from platform_ml.engine.serving import Served
    from platform_ml.spec.scores import Scores
    from platform_ml.spec.statistics import PartitionStatistics

KIND = "scores"
REFERENCE = 50_000
"""Test rows of the model that its scores are compared with, at most."""
AS_TRAINED = Check(
    name="features_as_trained",
    blocking=True,
    description="The model sees the features that it was trained on: none missing, added, renamed, of another type or "
    "computed otherwise.",
)
FINITE = Check(name="finite_scores", blocking=True, description="Every score is a finite number.")
SPREAD = Check(
    name="score_drift", blocking=False, description="Scores are spread as those of the model's test rows, or nearly."
)
UNSEEN = Check(
    name="unseen_categories", blocking=False, description="Hardly a row has a category that training never saw."
)


def checks(scores: Scores) -> tuple[Check, ...]:
    """The data checks of scores."""
    ahead = (NOT_AHEAD,) if any(selection.at for selection in scores.view.selections) else ()
    own = (ONE_EACH, *ahead, AS_TRAINED, FINITE, SPREAD, UNSEEN, SKEW)
    return (*(check for check in TABLE_CHECKS if check != VOLUME), *own)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a model is shown of some partitions."""

    spine: pa.Table
    """Keys and moments."""
    rows: pa.Table
    """The same with features."""
    read: Mapping[str, Snapshot]
    """Population and groups: the versions that were read."""


def materialize_scores(
    scores: Scores, keys: Sequence[str], *, work: Work, stamp: Stamp, made_by: Mapping[str, str]
) -> list[Materialized]:
    """Score the population of these moments with the model in use, and commit what it says."""
    found = serving.in_use(scores.registration, work=work, version=scores.version)
    if wrong := serving.unlike_training(found, scores.view):
        called = f"{scores.registration.name} version {found.record['version']}"
        cure = "Take the change back, or train and register a model with it."
        reason = f"{called} cannot be used: {'; '.join(wrong)}. {cure}"
        stopped = [Finding(check=AS_TRAINED, partition=key, passed=False, reason=reason) for key in keys]
        return [Materialized(findings=stopped, snapshot=None)]
    served, done = found.load(), []
    reference = _reference(scores, served, work)
    for some in chunks(keys):
        seen = seen_by_model(scores, some, newest(scores, some, work), work=work)
        made = scored(scores, served, seen, some)
        expected = Expectation(
            schema=arrow_schema(scores.columns),
            required=tuple(scores.columns),
            key=(*scores.key, EVENT_TIME),
            time=EVENT_TIME,
            span={key: labels.moments(scores.view.label, key) for key in some},
            exact_rows=_population(seen.spine, some),
        )
        records = {key: _record(scores, key, served, seen, made[key], made_by) for key in some}
        for key, record in records.items():  # first: there is no score without the record of how it was made
            place = work.place(KIND, scores, key)
            work.platform.artifacts.publish(place, record["inputs"], record, lambda _: None)
        rows = _together([made[key].rows for key in some], some)
        staged = Staged(rows=rows, inputs={key: records[key]["inputs"] for key in some}, read=versions(seen.read))
        findings = not_ahead(scores.view, some, seen.spine, work)
        findings += [finding for key in some for finding in _findings(scores, key, seen, made[key], reference, work)]
        done.append(publish(scores, staged, expected, work=work, stamp=stamp, more=findings))
        work.say(
            f"{work.table(scores)}: {rows.num_rows:,} scores of {counted(len(some), 'moment')} up to {some[-1]} by "
            f"{scores.registration.name} version {served.version}"
        )
    return done


def newest(scores: Scores, keys: Sequence[str], work: Work) -> dict[str, Snapshot]:
    """Population and groups as they are now; `MissingInputError` when a partition that is needed is not there."""
    view, days = scores.view, {day for key in keys for day in labels.population_keys(scores.view.label, key)}
    for key in keys:
        if (first := labels.moments(view.label, key)[0]) > datetime.now(UTC):
            raise MissingInputError(f"Scores {scores.name!r}, partition {key}: {first} is yet to come. Wait for it.")
    needed = groups_needed(view, keys)
    read = {group.name: work.read(group, needed[group.name]) for group in view.groups}
    return {scores.source.name: work.read(scores.source, sorted(days)), **read}


def seen_by_model(scores: Scores, keys: Sequence[str], read: Mapping[str, Snapshot], *, work: Work) -> Seen:
    """The population of these moments with its features as of them, from these versions of the tables."""
    view, compute, source = scores.view, work.platform.compute, read[scores.source.name]
    days = sorted({day for key in keys for day in labels.population_keys(view.label, key)})
    raw = Files(paths=source.paths(days), schema=source.schema)
    spine = compute.query(labels.population_sql(view.label, keys), {"raw": raw}).table()
    return Seen(spine=spine, rows=features_at(view, spine, keys, read, compute=compute), read=read)


@dataclass(frozen=True, kw_only=True)
class Made:
    """What became of one partition."""

    features: pa.Table
    """As the model saw them."""
    rows: pa.Table
    """The columns of the table."""
    odd: int
    """Scores that are no finite number."""
    unseen: Mapping[str, int] = field(default_factory=dict)
    """Feature → rows with a category that training never saw."""


def scored(scores: Scores, served: Served, seen: Seen, keys: Sequence[str]) -> dict[str, Made]:
    """Partition by partition: how many are scored at once must not show in a score."""
    parts = split(seen.rows, keys)
    made = {}
    for key in keys:
        features = parts[key].select(list(served.features))
        rows, odd = predicted(scores, served, parts[key], features)
        model = served.predictor
        unseen = model.unseen(features) if isinstance(model, Categorical) and features.num_rows else {}
        made[key] = Made(features=features, rows=rows, odd=odd, unseen=unseen)
    return made


def _together(parts: Sequence[pa.Table], keys: Sequence[str]) -> pa.Table:
    import pyarrow as pa

    marked = [
        part.add_column(0, PARTITION, pa.array([key] * part.num_rows, pa.string()))
        for key, part in zip(keys, parts, strict=True)
    ]
    return pa.concat_tables(marked)


def _population(spine: pa.Table, keys: Sequence[str]) -> dict[str, int]:
    counts = {one["values"]: one["counts"] for one in spine[PARTITION].value_counts().to_pylist()}
    return {key: counts.get(key, 0) for key in keys}


def _record(
    scores: Scores, key: str, served: Served, seen: Seen, made: Made, made_by: Mapping[str, str]
) -> dict[str, Any]:
    """Everything that it takes to make the scores of a partition again; `inputs` is what their bytes depend on."""
    view, read = scores.view, seen.read
    tables = {
        scores.source.name: labels.population_keys(view.label, key),
        **{group.name: group_keys(group, view, key) for group in view.groups},
    }
    population = _used(read[scores.source.name], tables[scores.source.name])["content"]
    declared = fingerprint(scores)
    named = {name: served.record[name] for name in ("registered_as", "version", "model", "dataset")}
    return {
        "scores": scores.name,
        "partition": key,
        "fingerprint": declared,
        "inputs": digest(
            {"of": declared, "by": named, "population": population, "features": features_read(view, key, read)}
        ),
        "model": dict(served.record),
        "tables": {name: _used(read[name], days) for name, days in tables.items()},
        "features": dict(served.features),
        "features_content": content_hash(made.features),
        "content": content_hash(made.rows),
        "classes": list(served.classes) if scores.task is MULTICLASS else [],
        "rows": made.rows.num_rows,
        "unseen": dict(made.unseen),
        "made_by": dict(made_by),
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _used(snapshot: Snapshot, days: Sequence[str]) -> dict[str, Any]:
    """Which version of a table was read, and what of it; `upstream` says which partitions are meant."""
    content = digest([snapshot.partitions[day].content for day in days])
    return {"version": snapshot.version, "partitions": len(days), "content": content}


def record_of(scores: Scores, key: str, *, work: Work, version: int | None = None) -> Artifact:
    """How the scores of a partition were made, in the newest or in an earlier version of the table."""
    snapshot = work.platform.tables.snapshot(work.table(scores), version)
    state = snapshot.partitions.get(key) if snapshot else None
    kept = work.platform.artifacts.versions(work.place(KIND, scores, key)) if state else []
    found = next((one for one in kept if state and one.digest == state.inputs), None)
    if found is None:
        raise MissingInputError(work.missing(scores, [key]))
    return found


def _reference(scores: Scores, served: Served, work: Work) -> PartitionStatistics | None:
    """What the model says of its test rows."""
    import numpy as np
    import pyarrow as pa

    rows = served.test
    if rows is None or not rows.num_rows:
        return None
    if rows.num_rows > REFERENCE:
        rows = rows.take(np.linspace(0, rows.num_rows - 1, REFERENCE).round().astype(np.int64))
    found = np.asarray(served.predictor.predict(rows), dtype=np.float64)
    said: dict[str, Any] = {SCORE: found.min(axis=1) if scores.task is CLUSTERING else found}
    if scores.task is MULTICLASS:
        said = {PREDICTED: pa.array(served.classes).take(pa.array(found.argmax(axis=1)))}
    table = pa.table({PARTITION: ["test"] * rows.num_rows} | said)
    return measure(table, ["test"], compute=work.platform.compute)[0]["test"]


def _findings(
    scores: Scores, key: str, seen: Seen, made: Made, reference: PartitionStatistics | None, work: Work
) -> list[Finding]:
    rows, unseen = made.rows.num_rows, max(made.unseen.values(), default=0)
    share = unseen / rows if rows else 0.0
    names = ", ".join(f"{name} in {count:,}" for name, count in made.unseen.items()) or "none"
    categories = f"Rows with a category that training never saw: {names}; at most {scores.max_unseen:.1%} of {rows:,}."
    return [
        Finding(check=AS_TRAINED, partition=key, passed=True, reason="All features are as in training."),
        Finding(
            check=FINITE,
            partition=key,
            passed=not made.odd,
            reason=f"{made.odd:,} of {rows:,} scores are no finite number.",
            numbers={"not_finite": made.odd},
        ),
        _spread(scores, key, made, reference, work),
        Finding(
            check=UNSEEN,
            partition=key,
            passed=share <= scores.max_unseen,
            reason=categories,
            numbers={"share": share, **made.unseen},
        ),
        skew_finding(scores.model.dataset.view, key, seen.read, seen.rows, work=work),
    ]


def _spread(scores: Scores, key: str, made: Made, reference: PartitionStatistics | None, work: Work) -> Finding:
    import pyarrow as pa

    if reference is None:
        reason = "The model's test rows are not to be had any more, so nothing can be compared with them."
        return Finding(check=SPREAD, partition=key, passed=False, reason=reason)
    column = PREDICTED if scores.task is MULTICLASS else SCORE
    drift = (JensenShannon if column == PREDICTED else PSI)(column, scores.max_psi)
    rows = made.rows.select([column]).append_column(PARTITION, pa.array([key] * made.rows.num_rows, pa.string()))
    now = measure(rows, [key], compute=work.platform.compute)[0][key]
    said = drift.compared(pooled(column, [reference]), pooled(column, [now]), "the model's test rows")
    return Finding(check=SPREAD, partition=key, passed=said.passed, reason=said.reason, numbers=said.numbers)
