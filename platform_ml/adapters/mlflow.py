"""Tracker and registry in MLflow: plain files and numbers through its client, no pickle and no pyfunc."""

from __future__ import annotations

import fcntl
import json
import logging
import math
import os
import re
import shutil
import sqlite3
import time
import warnings
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from platform_ml.spec.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param
    from mlflow.entities.model_registry import ModelVersion

    from platform_ml.engine.ports import TrackedRun

SQLITE = "sqlite:///"
METRICS, PARAMS = 1_000, 100
"""What MLflow takes in one batch."""
EXISTS, MISSING = "RESOURCE_ALREADY_EXISTS", "RESOURCE_DOES_NOT_EXIST"
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}
_OURS: set[Path] = set()


@dataclass(frozen=True)
class MLflowTracker:
    """Runs with a child run for every trial."""

    tracking_uri: str
    artifact_root: Path

    def record(self, run: TrackedRun) -> str:
        client = connect(self.tracking_uri)
        with _store_errors(self.tracking_uri):
            return _record(client, run, experiment_id(client, run.experiment, self.artifact_root), parent=None)


@dataclass(frozen=True)
class MLflowRegistry:
    """Registered model versions that are made of native files, each a logged model of its run."""

    tracking_uri: str
    artifact_root: Path

    def register(self, name: str, run_id: str, files: Mapping[str, Path], tags: Mapping[str, str]) -> str:
        client, said = connect(self.tracking_uri), _legal_keys(tags)
        with _store_errors(self.tracking_uri):
            with _Unless(EXISTS):
                client.create_registered_model(name)
            run = self._run(client, name, run_id)
            model = client.create_logged_model(
                run.info.experiment_id, name=name, source_run_id=run.info.run_id, tags=said, model_type="native"
            )
            with _laid_out(files) as folder:
                client.log_model_artifacts(model.model_id, str(folder))
            client.finalize_logged_model(model.model_id, "READY")
            # Its tags are written with the version, so that nobody finds a version that has only some of them. Its
            # source is the folder itself: MLflow resolves models:/ by the URI of the process, which need not be ours.
            version = client.create_model_version(
                name,
                source=model.artifact_location,
                run_id=run.info.run_id,
                tags=said,
                model_id=model.model_id,
                await_creation_for=0,
            )
            self._link(client, version, model.model_id, run.info.run_id)
        return str(version.version)

    @staticmethod
    def _link(client: MlflowClient, version: ModelVersion, model: str, run_id: str) -> None:
        """Let MLflow's pages lead from the run to its model and from there to the version."""
        from mlflow.entities import LoggedModelOutput

        client.log_outputs(run_id, [LoggedModelOutput(model, step=0)])
        link = json.dumps([{"name": version.name, "version": str(version.version)}])
        client.set_logged_model_tags(model, {"mlflow.modelVersions": link})

    def find(self, name: str, tags: Mapping[str, str]) -> str | None:
        client, wanted = connect(self.tracking_uri), _legal_keys(tags)
        token: str | None = None
        with _store_errors(self.tracking_uri):
            while True:
                page = client.search_model_versions(
                    f"name = '{name}'", order_by=["version_number DESC"], page_token=token
                )
                for version in page:
                    if version.status == "READY" and wanted.items() <= version.tags.items():
                        return str(version.version)
                token = page.token
                if not token:
                    return None

    def promote(self, name: str, version: str, alias: str) -> None:
        with _store_errors(self.tracking_uri):
            connect(self.tracking_uri).set_registered_model_alias(name, alias, version)

    def promoted(self, name: str, alias: str) -> Mapping[str, str] | None:
        client = connect(self.tracking_uri)
        with _store_errors(self.tracking_uri), _Unless(MISSING, "INVALID_PARAMETER_VALUE"):
            return dict(client.get_model_version_by_alias(name, alias).tags)
        return None

    def _run(self, client: MlflowClient, name: str, run_id: str) -> Any:
        """The run that made the model, or one in its place when somebody deleted it from the tracker."""
        with _Unless(MISSING):
            return client.get_run(run_id)
        home = experiment_id(client, name, self.artifact_root)
        run = client.create_run(home, run_name=f"registration of {name}", tags={"lost_run": run_id})
        client.set_terminated(run.info.run_id)
        return run


def connect(tracking_uri: str) -> MlflowClient:
    """A client of a store that is ready; two processes may come at once."""
    with _store_errors(tracking_uri):
        return _client(tracking_uri)


def experiment_id(client: MlflowClient, name: str, artifact_root: Path) -> str:
    """The id of an experiment, created on first use with its artifacts below `artifact_root`."""
    with _Unless(EXISTS):
        if (found := client.get_experiment_by_name(name)) is None:
            return str(client.create_experiment(name, artifact_location=(artifact_root.resolve() / name).as_uri()))
        if found.lifecycle_stage == "deleted":
            client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)
    return experiment_id(client, name, artifact_root)  # another process made it between the two calls


@cache
def _client(tracking_uri: str) -> MlflowClient:
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of MLflow's own code: nobody here can do anything
        from mlflow import MlflowClient

        for noisy in ("alembic", "mlflow.store.db.utils"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
        with _alone(tracking_uri):
            client = MlflowClient(tracking_uri=tracking_uri, registry_uri=tracking_uri)
            client.search_registered_models(max_results=1)  # makes the registry's store; the tracker's is there
    return client


@contextmanager
def _alone(tracking_uri: str) -> Iterator[None]:
    """One process at a time creates the tables of a SQLite file, which then has a write-ahead log."""
    if not tracking_uri.startswith(SQLITE):
        yield
        return
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    file = Path(tracking_uri.removeprefix(SQLITE)).resolve()
    _OURS.add(file)
    if not event.contains(Engine, "connect", _sync_at_checkpoints_only):
        event.listen(Engine, "connect", _sync_at_checkpoints_only)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.with_name(f"{file.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        connection = sqlite3.connect(file)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.close()
        yield


def _sync_at_checkpoints_only(connection: Any, _record: Any) -> None:
    """A power cut may take the last commits, and never more than those; other databases are left alone."""
    if isinstance(connection, sqlite3.Connection):
        file = connection.execute("PRAGMA database_list").fetchone()[2]
        if file and Path(file).resolve() in _OURS:
            connection.execute("PRAGMA synchronous=NORMAL")


def _record(client: MlflowClient, run: TrackedRun, home: str, *, parent: str | None) -> str:
    skipped = sorted({legal(name) for name, value in run.metrics.items() if not math.isfinite(value)})
    tags = _legal_keys(run.tags)
    tags |= {"skipped_metrics": ", ".join(skipped)} if skipped else {}
    tags |= {"mlflow.parentRunId": parent} if parent else {}
    run_id: str = client.create_run(home, tags=tags, run_name=run.name).info.run_id
    try:
        _log(client, run_id, run)
        if run.artifacts:
            with _laid_out(run.artifacts) as folder:
                client.log_artifacts(run_id, str(folder))
        for child in run.children:
            _record(client, child, home, parent=run_id)
    except BaseException:
        with suppress(Exception):
            client.set_terminated(run_id, "FAILED")
        raise
    client.set_terminated(run_id, "FINISHED")
    return run_id


def _log(client: MlflowClient, run_id: str, run: TrackedRun) -> None:
    metrics, params = list(_metrics(run)), list(_params(run))
    for start in range(0, max(len(metrics), 1), METRICS - PARAMS):
        batch = metrics[start : start + METRICS - PARAMS]
        if batch or params:
            client.log_batch(run_id, metrics=batch, params=params[:PARAMS])
        params = params[PARAMS:]
    for start in range(0, len(params), PARAMS):
        client.log_batch(run_id, params=params[start : start + PARAMS])


def _metrics(run: TrackedRun) -> Iterator[Metric]:
    """Finite numbers only: MLflow would keep infinity as 1.8e308."""
    from mlflow.entities import Metric

    now = int(time.time() * 1_000)
    single = ((name, 0, value) for name, value in run.metrics.items())
    curves = ((name, step, value) for name, values in run.curves.items() for step, value in enumerate(values))
    for name, step, value in (*single, *curves):
        if math.isfinite(value):
            yield Metric(legal(name), float(value), now, step)


def _params(run: TrackedRun) -> Iterable[Param]:
    from mlflow.entities import Param

    return (Param(legal(name), str(value)) for name, value in run.params.items())


def legal(name: str) -> str:
    """A name that MLflow takes.

    >>> legal("ndcg@10")
    'ndcg_at_10'
    """
    return re.sub(r"[^\w/. -]", "_", name.replace("@", "_at_"))


def _legal_keys(tags: Mapping[str, str]) -> dict[str, str]:
    return {legal(name): value for name, value in tags.items()}


@contextmanager
def _laid_out(files: Mapping[str, Path]) -> Iterator[Path]:
    """A folder in which every file has the path that it is to have in the store."""
    with TemporaryDirectory() as folder:
        for path, file in files.items():
            inside = PurePosixPath(path)
            if inside.is_absolute() or ".." in inside.parts:
                raise StoreError(f"{path!r} is no path inside of a run. Use one like 'model/model.ubj'.")
            target = Path(folder, inside)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
        yield Path(folder)


@contextmanager
def _store_errors(tracking_uri: str) -> Iterator[None]:
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        raise StoreError(f"MLflow at {tracking_uri} refused: {error.message.strip()}") from error


class _Unless:
    """Go on after the block when MLflow says one of these."""

    def __init__(self, *codes: str) -> None:
        self.codes = codes

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        return getattr(error, "error_code", None) in self.codes
