"""Runs in MLflow: plain files and numbers through its client, no pickle and no pyfunc.

A run is sent in steps that can all be repeated: metrics carry the time of the run, so that MLflow keeps the same one
once, and what says that a part is complete is written last. Whoever sends it again goes on where the first one was
stopped.
"""

from __future__ import annotations

import json
import math
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from platform_ml.adapters.mlflow_registry import MLflowRegistry
from platform_ml.adapters.mlflow_store import (
    connect,
    experiment_id,
    laid_out,
    legal,
    legal_keys,
    said,
    store_errors,
)
from platform_ml.engine.tracked import Recorded, RecordedRun

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Metric, Param, Run, RunTag

    from platform_ml.engine.tracked import TrackedDataset, TrackedRun

__all__ = ["MLflowRegistry", "MLflowTracker", "connect", "experiment_id"]

KEY, PARENT, DONE = "run_key", "mlflow.parentRunId", "recorded."
METRICS, PARAMS = 900, 100
"""What MLflow takes in one batch."""
LONGEST_PARAM, LONGEST_TAG, LONGEST_DIGEST = 6_000, 8_000, 36
PAGE = 1_000
SHOWN_AS = {
    "author": "mlflow.user",
    "git_commit": "mlflow.source.git.commit",
    "description": "mlflow.note.content",
}
"""Our tags that MLflow's pages show under names of their own."""
COLUMN_TYPES = {
    "BOOLEAN": "boolean",
    "BIGINT": "long",
    "DOUBLE": "double",
    "VARCHAR": "string",
    "TIMESTAMP": "datetime",
}


@dataclass(frozen=True)
class MLflowTracker:
    """Runs with a child run for every trial."""

    tracking_uri: str
    artifact_root: Path

    def record(self, run: TrackedRun) -> Recorded:
        client = connect(self.tracking_uri)
        with store_errors(self.tracking_uri):
            home = experiment_id(client, run.experiment, self.artifact_root)
            known = {run.key: _settled(client, home, run.key)} if run.key else {}
            made = _send(client, run, home, known.get(run.key))
            if run.key and known[run.key] is None:  # somebody else may have begun at the same moment
                settled = _settled(client, home, run.key)
                made = settled.info.run_id if settled else made
        return Recorded(run_id=made)

    def find(self, experiment: str, key: str) -> str | None:
        client = connect(self.tracking_uri)
        with store_errors(self.tracking_uri):
            home = client.get_experiment_by_name(experiment)
            found = _found(client, home.experiment_id, f"tags.{KEY} = '{key}'") if home else []
        return found[0].info.run_id if found else None

    def runs(self, experiment: str, kinds: Sequence[str]) -> list[RecordedRun]:
        client = connect(self.tracking_uri)
        with store_errors(self.tracking_uri):
            home = client.get_experiment_by_name(experiment)
            if home is None:
                return []
            wanted = [f"tags.kind = '{kind}'" for kind in kinds]
            found = [_read(run) for where in wanted for run in _found(client, home.experiment_id, where)]
        return sorted(found, key=lambda run: run.started, reverse=True)


def _send(client: MlflowClient, run: TrackedRun, home: str, there: Run | None, parent: str = "") -> str:
    """Send what is not there yet of a run.

    The part that begins a run is complete when the run is FINISHED; every other one when its tag is there.
    """
    done, now = legal(f"{DONE}{run.part}"), datetime.now(UTC).isoformat(timespec="seconds")
    if there and done in there.data.tags and there.info.status == "FINISHED":
        return str(there.info.run_id)
    begins = there is None or done in there.data.tags
    tags = _tags(run) | {done: now} | ({PARENT: parent} if parent else {})
    files = laid_out(run.artifacts) if run.artifacts else nullcontext()  # trials have none, and folders cost
    with files as folder:  # first, so that a file that is missing leaves no run behind
        start = run.started // 1_000
        run_id = (there or client.create_run(home, start_time=start, tags=tags, run_name=run.name)).info.run_id
        if run.artifacts:
            client.log_artifacts(run_id, str(folder))
    if run.datasets:
        client.log_inputs(run_id, datasets=[_dataset(one) for one in run.datasets])
    _log(client, run_id, run)
    _send_children(client, run, home, run_id, there)
    if begins:
        client.set_terminated(run_id, "FINISHED", end_time=start + int(run.seconds * 1_000))
    else:
        client.log_batch(run_id, tags=_run_tags(tags))
    return str(run_id)


def _send_children(client: MlflowClient, run: TrackedRun, home: str, run_id: str, there: Run | None) -> None:
    if not run.children:
        return
    known = {one.data.tags.get(KEY, ""): one for one in (_children(client, home, run_id) if there else ())}
    sent: dict[str, str] = {}
    for number, child in enumerate(run.children):
        own = replace(child, key=child.key or (f"{run.key}/{number}" if run.key else ""))
        sent[own.key] = _send(client, own, home, known.get(own.key), run_id)
    if run.key:  # a request whose answer got lost was made again, and may have made a child again
        for one in _children(client, home, run_id):
            if sent.get(one.data.tags.get(KEY, ""), one.info.run_id) != one.info.run_id:
                client.delete_run(one.info.run_id)


def _settled(client: MlflowClient, home: str, key: str) -> Run | None:
    """The one run of a key; where two processes began at once, the later one is removed."""
    found = _found(client, home, f"tags.{KEY} = '{key}' and tags.`{PARENT}` IS NULL")
    ordered = sorted(found, key=lambda run: (run.info.start_time, run.info.run_id))
    for run in ordered[1:]:
        client.delete_run(run.info.run_id)
    return ordered[0] if ordered else None


def _children(client: MlflowClient, home: str, run_id: str) -> list[Run]:
    return _found(client, home, f"tags.`{PARENT}` = '{run_id}'")


def _found(client: MlflowClient, home: str, where: str) -> list[Run]:
    found: list[Run] = []
    token: str | None = None
    while True:
        page = client.search_runs([home], where, max_results=PAGE, page_token=token)
        found += page
        token = page.token
        if not token:
            return found


def _log(client: MlflowClient, run_id: str, run: TrackedRun) -> None:
    """Metrics and parameters in as few calls as MLflow takes."""
    metrics, params = list(_metrics(run)), list(_params(run))
    for call in range(max(math.ceil(len(metrics) / METRICS), math.ceil(len(params) / PARAMS))):
        client.log_batch(
            run_id,
            metrics=metrics[call * METRICS : (call + 1) * METRICS],
            params=params[call * PARAMS : (call + 1) * PARAMS],
        )


def _tags(run: TrackedRun) -> dict[str, str]:
    skipped = sorted({legal(name) for name, value in run.metrics.items() if not math.isfinite(value)})
    name = "skipped_metrics" if run.part == "run" else f"skipped_metrics.{run.part}"
    ours = {**run.tags, **({name: ", ".join(skipped)} if skipped else {}), **({KEY: run.key} if run.key else {})}
    shown = {theirs: ours[name] for name, theirs in SHOWN_AS.items() if ours.get(name)}
    return {name: said(value, LONGEST_TAG) for name, value in (legal_keys(ours) | shown).items()}


def _run_tags(tags: Mapping[str, str]) -> list[RunTag]:
    from mlflow.entities import RunTag

    return [RunTag(name, value) for name, value in tags.items()]


def _metrics(run: TrackedRun) -> Iterator[Metric]:
    """Finite numbers only: MLflow would keep infinity as 1.8e308."""
    from mlflow.entities import Metric

    moment = run.started // 1_000
    single = ((name, 0, value) for name, value in run.metrics.items())
    steps = range(0, max(map(len, run.curves.values()), default=0) * run.every, run.every)
    curves = (
        (name, step, value) for name, values in run.curves.items() for step, value in zip(steps, values, strict=False)
    )
    for name, step, value in (*single, *curves):
        if math.isfinite(value):
            yield Metric(legal(name), float(value), moment, step)


def _params(run: TrackedRun) -> Iterable[Param]:
    from mlflow.entities import Param

    return (Param(legal(name), said(value, LONGEST_PARAM)) for name, value in run.params.items())


def _dataset(one: TrackedDataset) -> DatasetInput:
    """MLflow has room for 36 characters of a digest; the profile has all of it."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    columns = [
        {"name": name, "type": COLUMN_TYPES.get(kind, "string"), "required": False}
        for name, kind in one.columns.items()
    ]
    made = Dataset(
        name=one.name,
        digest=one.digest[:LONGEST_DIGEST],
        source_type="local",
        source=json.dumps({"uri": one.source}),
        schema=json.dumps({"mlflow_colspec": columns}),
        profile=json.dumps({"num_rows": one.rows, "digest": one.digest, **one.about}),
    )
    return DatasetInput(made, tags=[InputTag("mlflow.data.context", one.context)])


def _read(run: Any) -> RecordedRun:
    info = run.info
    return RecordedRun(
        run_id=info.run_id,
        name=info.run_name,
        started=datetime.fromtimestamp(info.start_time / 1_000, UTC),
        seconds=None if info.end_time is None else (info.end_time - info.start_time) / 1_000,
        finished=info.status == "FINISHED",
        params=run.data.params,
        metrics=run.data.metrics,
        tags=run.data.tags,
    )
