"""Dagster's daemon, one at a time: a second one waits until the first has gone."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import sqlalchemy
from dagster import DagsterInstance
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from platform_ml.orchestration.whole_runs import add_whole_runs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from io import TextIOWrapper

    from sqlalchemy.engine import Connection

ADVISORY_LOCK = 7_365_082_010
"""Any number that nobody else takes for a lock of Dagster's database."""
WATCH_SECONDS = 2.0
"""How often a waiting daemon tries, and a working one asks whether the turn is still its own."""
GONE = "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
"""The server notices within a minute that the machine of a daemon has gone, and frees its turn."""


PATIENT_BACKFILLS = "DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR"
"""Without this variable a backfill fails for good when the daemon looks while the code server is being replaced."""


class Turn(Protocol):
    """The right to be the daemon of an instance. It ends with the process, however that ends."""

    def take(self) -> bool:
        """Whether it is ours now."""
        ...

    def held(self) -> bool:
        """Whether it is ours still."""
        ...

    def end(self) -> None:
        """Leave it to others."""
        ...


class FileTurn:
    """A locked file, for an instance in a folder."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: TextIOWrapper = path.open("w")

    def take(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def held(self) -> bool:
        return True

    def end(self) -> None:
        self._file.close()


class DatabaseTurn:
    """An advisory lock, for an instance in PostgreSQL: the server frees it when the connection ends."""

    def __init__(self, url: str) -> None:
        self._engine = sqlalchemy.create_engine(
            url, isolation_level="AUTOCOMMIT", poolclass=NullPool, connect_args={"options": GONE}
        )
        self._connection: Connection | None = None

    def take(self) -> bool:
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
            asked = sqlalchemy.text("SELECT pg_try_advisory_lock(:lock)")
            return bool(self._connection.execute(asked, {"lock": ADVISORY_LOCK}).scalar())
        except DBAPIError:
            self.end()
            raise

    def held(self) -> bool:
        if self._connection is None:
            return False
        try:
            self._connection.execute(sqlalchemy.text("SELECT 1"))
        except DBAPIError:
            self.end()
            return False
        return True

    def end(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None


def turn_of(instance: DagsterInstance) -> Turn:
    """What the daemons of this instance take turns by."""
    url = getattr(instance.run_storage, "postgres_url", None)
    return DatabaseTurn(url) if url else FileTurn(Path(instance.storage_directory(), "daemon.lock"))


def run_daemon(arguments: Sequence[str]) -> int:
    """Wait for the turn, then be `dagster-daemon run` with these arguments."""
    from dagster._daemon.cli import run_command

    with DagsterInstance.get() as instance:
        turn = turn_of(instance)
        add_whole_runs(instance.run_storage)
    _wait(turn)
    os.environ.setdefault(PATIENT_BACKFILLS, "1")
    threading.Thread(target=_watch, args=(turn,), daemon=True).start()
    run_command.main(args=list(arguments), prog_name="platform-ml daemon", standalone_mode=False)
    return 0


def _wait(turn: Turn) -> None:
    said = ""
    while True:
        try:
            if turn.take():
                return
            found = "Another daemon is at work on this instance. This one waits until it has gone."
        except OperationalError as error:
            found = f"The database does not answer; this daemon waits for it: {error.orig}".strip()
        if found != said:
            print(f"platform-ml daemon: {found}", flush=True)
            said = found
        time.sleep(WATCH_SECONDS)


def _watch(turn: Turn) -> None:
    """A database that was restarted has forgotten whose turn it was."""
    while True:
        time.sleep(WATCH_SECONDS)
        try:
            if turn.held() or turn.take():
                continue
        except OperationalError:
            continue  # without the database no daemon can do anything
        print("platform-ml daemon: another daemon took over while the database was away. This one ends.", flush=True)
        os.kill(os.getpid(), signal.SIGTERM)
        return
