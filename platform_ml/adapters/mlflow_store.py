"""What MLflow's tracker and registry share: a client of a store that answers, experiments, names, files and errors."""

from __future__ import annotations

import fcntl
import logging
import os
import re
import shutil
import sqlite3
import warnings
from contextlib import contextmanager
from functools import cache
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from platform_ml.adapters.mlflow_answers import SQLITE, check_answers, database
from platform_ml.spec.errors import StoreError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlflow import MlflowClient

EXISTS, MISSING = "RESOURCE_ALREADY_EXISTS", "RESOURCE_DOES_NOT_EXIST"
REFUSALS = {
    *(EXISTS, MISSING, "INVALID_PARAMETER_VALUE", "BAD_REQUEST", "INVALID_STATE", "PERMISSION_DENIED"),
    *("UNAUTHENTICATED", "CUSTOMER_UNAUTHORIZED", "FEATURE_DISABLED", "ENDPOINT_NOT_FOUND", "NOT_IMPLEMENTED"),
}
"""The same call would be refused again; everything else may pass."""
SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # MLflow's own: 120 s and 7 retries, each call, before a dead server is believed to be dead.
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
}
"""Unless the environment says otherwise."""
_OURS: dict[Path, int] = {}
"""Databases that this process has opened, and the inode that each was."""


def connect(tracking_uri: str) -> MlflowClient:
    """A client of a store that is ready; two processes may come at once.

    Raises:
        UnreachableError: the store does not answer within a few seconds.
        StoreError: it is not one that MLflow knows.
    """
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    with store_errors(tracking_uri):
        check_answers(tracking_uri)
        _check_same_file(tracking_uri)
        return _client(tracking_uri)


def experiment_id(client: MlflowClient, name: str, artifact_root: Path) -> str:
    """The id of an experiment, made on first use; its artifacts lie below `artifact_root`, or where a server says."""
    with Unless(EXISTS):
        if (found := client.get_experiment_by_name(name)) is None:
            served = client.tracking_uri.startswith("http")
            home = None if served else (artifact_root.resolve() / name).as_uri()
            return str(client.create_experiment(name, artifact_location=home))
        if found.lifecycle_stage == "deleted":
            client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)
    return experiment_id(client, name, artifact_root)  # another process made it between the two calls


@cache
def _client(tracking_uri: str) -> MlflowClient:
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

    file = database(tracking_uri)
    file.parent.mkdir(parents=True, exist_ok=True)
    with locked(file.with_name(f"{file.name}.lock")):
        connection = sqlite3.connect(file)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.close()
        _OURS[file] = file.stat().st_ino
        if not event.contains(Engine, "connect", _sync_at_checkpoints_only):
            event.listen(Engine, "connect", _sync_at_checkpoints_only)
        yield


def _check_same_file(tracking_uri: str) -> None:
    """Connections that are open go on writing to a file that was removed, where nobody will ever read it."""
    if not tracking_uri.startswith(SQLITE) or (file := database(tracking_uri)) not in _OURS:
        return
    if not file.exists() or file.stat().st_ino != _OURS[file]:
        raise UnreachableError(
            f"MLflow's database {file} was removed or replaced while this process used it. "
            "Another process can use it again; restart this one."
        )


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """One process of this machine at a time."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sync_at_checkpoints_only(connection: Any, _record: Any) -> None:
    """A power cut may take the last commits, and never more than those; other databases are left alone."""
    if isinstance(connection, sqlite3.Connection):
        file = connection.execute("PRAGMA database_list").fetchone()[2]
        if file and Path(file).resolve() in _OURS:
            connection.execute("PRAGMA synchronous=NORMAL")


def legal(name: str) -> str:
    """A name that MLflow takes.

    >>> legal("ndcg@10")
    'ndcg_at_10'
    """
    return re.sub(r"[^\w/. -]", "_", name.replace("@", "_at_"))


def legal_keys(tags: Mapping[str, str]) -> dict[str, str]:
    """The same tags under names that MLflow takes."""
    return {legal(name): value for name, value in tags.items()}


def said(text: object, most: int) -> str:
    """What MLflow has room for, with the end marked where it was cut off.

    >>> said("abcdefgh", 5)
    'abcd…'
    """
    whole = str(text)
    return whole if len(whole) <= most else whole[: most - 1] + "…"


@contextmanager
def laid_out(files: Mapping[str, Path]) -> Iterator[Path]:
    """A folder in which every file has the path that it is to have in the store."""
    with TemporaryDirectory() as folder:
        for path, file in files.items():
            inside = PurePosixPath(path)
            if inside.is_absolute() or ".." in inside.parts:
                raise StoreError(f"{path!r} is no path inside of a run. Use one like 'model/model.ubj'.")
            target = Path(folder, inside)
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copyfile(file, target)
            except FileNotFoundError as error:
                raise StoreError(f"{file} is not there, so that it cannot be stored as {path!r}.") from error
        yield Path(folder)


@contextmanager
def store_errors(tracking_uri: str) -> Iterator[None]:
    """Errors of MLflow, of its database and of the network, told apart: refused for good, or not there now."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except MlflowException as error:
        what = error.message.strip()
        if all(code in REFUSALS for code in _codes(error)):
            raise StoreError(f"MLflow at {tracking_uri} refused: {what}") from error
        raise UnreachableError(f"MLflow at {tracking_uri} does not answer: {what}") from error
    except (sqlite3.Error, SQLAlchemyError, OSError) as error:  # those of requests are OSErrors, too
        raise UnreachableError(f"MLflow at {tracking_uri} cannot be used now: {error}") from error


def _codes(error: BaseException | None) -> Iterator[str]:
    """Of an error and of those behind it: MLflow says of some outages that a value is not valid."""
    while error is not None:
        if code := getattr(error, "error_code", None):
            yield code
        error = error.__cause__ or error.__context__


class Unless:
    """Go on after the block when MLflow says one of these."""

    def __init__(self, *codes: str) -> None:
        self.codes = codes

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        return getattr(error, "error_code", None) in self.codes
