"""Dagster's SQLite event log with its connections kept open: the same files, the same events, fewer fsyncs."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from contextlib import ExitStack, contextmanager
from functools import cache
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from dagster import DagsterEventType
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    SqlEventLogStorageMetadata,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.event_log.sqlite.sqlite_event_log import (
    SqliteEventLogStorage,
    SqliteEventLogStorageWatchdog,
)
from dagster._core.storage.sql import get_alembic_config
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import serialize_value
from sqlalchemy import bindparam, create_engine, event, func, select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import QueuePool
from watchdog.observers import Observer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dagster import AssetCheckEvaluation
    from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationPlanned
    from dagster._core.event_api import EventHandlerFn
    from dagster._core.events.log import EventLogEntry
    from dagster._serdes import ConfigurableClassData
    from sqlalchemy.engine import Connection, Engine
    from watchdog.events import FileSystemEvent

LAST_OF_ASSET = {DagsterEventType.ASSET_MATERIALIZATION, DagsterEventType.ASSET_MATERIALIZATION_PLANNED}
"""Events of which Dagster keeps the last one in the row of their asset."""
BATCHES = "DAGSTER_EVENT_BATCH_SIZE"
"""Without this variable Dagster stores events one by one, also those that it hands over as a batch."""
PLANNED = ("asset_key", "check_name", "run_id", "partition")
"""What tells planned checks apart."""
OPEN_SHARDS = 16
"""Every run is a file of its own, and a daemon reads them all: the ones that lie idle longest are closed."""


class KeptOpenSqliteEventLogStorage(SqliteEventLogStorage):
    """An event survives a kill as soon as it is stored; a power cut may take the last ones, and never more than those.

    Dagster's own class opens and closes a connection for every event. The last close of a WAL database copies the log
    into the file and deletes it, so each event pays for a checkpoint.
    """

    takes_evaluations = True
    """Batches may hold results of checks, too."""
    _obs: Any
    _db_lock: Any

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._tables: set[str] = set()
        self._together: tuple[ExitStack, dict[str, Connection]] | None = None
        super().__init__(base_dir, inst_data)
        self._db_lock = threading.RLock()  # a batch holds it, and connects to two shards
        os.environ.setdefault(BATCHES, "500")

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> KeptOpenSqliteEventLogStorage:
        return cls(inst_data=inst_data, **config_value)

    def _engine(self, shard: str) -> Engine:
        if shard not in self._engines:
            engine = create_engine(
                self.conn_string_for_shard(shard),
                poolclass=QueuePool,
                pool_size=1,
                connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
            )
            event.listen(engine, "connect", _sync_at_checkpoints_only)
            self._engines[shard] = engine
            if len(self._engines) > OPEN_SHARDS:
                self._engines.popitem(last=False)[1].dispose()
        self._engines.move_to_end(shard)
        return self._engines[shard]

    def _initdb(self, engine: Engine, for_index_shard: bool = False) -> None:  # noqa: FBT001, FBT002 (Dagster's own)
        """As Dagster does, without reading its seventy migrations for every run twice."""
        if for_index_shard:
            super()._initdb(engine, for_index_shard=True)
            return
        try:
            with engine.connect() as connection:
                context = MigrationContext.configure(connection)
                if context.get_current_revision() is None:
                    connection.commit()
                    connection.exec_driver_sql("PRAGMA journal_mode=WAL")
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                    SqlEventLogStorageMetadata.create_all(connection)
                    context.stamp(_migrations(), "head")
                    connection.commit()
        except DatabaseError:  # another process is making the same file: Dagster waits for it
            super()._initdb(engine)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            if self._together is None:
                with self._begun(shard) as connection:
                    yield connection
            else:
                stack, begun = self._together
                if shard not in begun:
                    begun[shard] = stack.enter_context(self._begun(shard))
                yield begun[shard]

    @contextmanager
    def _begun(self, shard: str) -> Iterator[Connection]:
        engine = self._engine(shard)
        if shard not in self._initialized_dbs:
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        with engine.connect() as connection, connection.begin():
            yield connection

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events of one run in one transaction of each shard: all of them, or none.

        A run over a thousand partitions has ten thousand events. One by one, each of them is compiled into three to
        five statements, and the asset's row is written for each partition, where only the last one stays.
        """
        with self._db_lock:
            try:
                with ExitStack() as stack:
                    self._together = stack, {}
                    for kind, some in groupby(events, key=attrgetter("dagster_event_type")):
                        self._store_alike(kind, list(some))
            finally:
                self._together = None

    def _store_alike(self, kind: DagsterEventType | None, events: Sequence[EventLogEntry]) -> None:
        if kind not in {*LAST_OF_ASSET, DagsterEventType.ASSET_CHECK_EVALUATION}:
            for entry in events:
                self.store_event(entry)
            return
        rows = [self._event_to_row(entry) for entry in events]
        with self.run_connection(events[0].run_id) as connection:
            connection.execute(SqlEventLogStorageTable.insert(), rows)
        with self.index_connection() as connection:
            connection.execute(SqlEventLogStorageTable.insert(), rows)
            newest = connection.execute(select(func.max(SqlEventLogStorageTable.c.id))).scalar_one()
            ids = range(newest - len(rows) + 1, newest + 1)  # nobody else writes in between
            if kind is DagsterEventType.ASSET_CHECK_EVALUATION:
                _evaluate(connection, events, rows, ids)
                return
            self._store_asset_event_tags(connection, events, ids)
            last = {
                entry.get_dagster_event().asset_key: (entry, number) for entry, number in zip(events, ids, strict=True)
            }
            for entry, number in last.values():
                self._store_asset_event(connection, entry, number)

    def _store_asset_check_evaluation_planned(self, event: EventLogEntry, event_id: int | None) -> None:
        """As Dagster does; but the event, which names all partitions, is written out once and not for each of them."""
        planned: AssetCheckEvaluationPlanned = event.get_dagster_event().asset_check_planned_data
        row = {
            "asset_key": planned.asset_key.to_string(),
            "check_name": planned.check_name,
            "run_id": event.run_id,
            "execution_status": AssetCheckExecutionRecordStatus.PLANNED.value,
            "evaluation_event": serialize_value(event),
            "evaluation_event_timestamp": self._event_insert_timestamp(event),
            "evaluation_event_storage_id": event_id,
        }
        keys = planned.partitions_subset.get_partition_keys() if planned.partitions_subset else [None]
        with self.index_connection() as connection:
            connection.execute(AssetCheckExecutionsTable.insert(), [row | {"partition": key} for key in keys])

    def has_table(self, table_name: str) -> bool:
        # Asked for every result of a check. A table that is there stays there, until everything is wiped.
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def _close_all(self) -> None:
        with self._db_lock:
            self._tables.clear()
            while self._engines:
                self._engines.popitem()[1].dispose()

    def wipe(self) -> None:
        self._close_all()
        super().wipe()

    def dispose(self) -> None:
        super().dispose()
        self._close_all()

    def watch(self, run_id: str, cursor: str | None, callback: EventHandlerFn) -> None:
        observer: Any = self._obs
        if observer is None:
            observer = self._obs = Observer()
            observer.start()
        watchdog = _WalWatchdog(self, run_id, callback, cursor)
        self._watchers[run_id][callback] = (watchdog, observer.schedule(watchdog, self._base_dir, recursive=True))


class _WalWatchdog(SqliteEventLogStorageWatchdog):
    """Looks at the write-ahead log too: while a connection stays open, that is the file that changes."""

    @property
    def patterns(self) -> list[str]:
        return [self._log_path, f"{self._log_path}-wal"]

    def on_modified(self, event: FileSystemEvent) -> None:
        self._process_log()


def _evaluate(
    connection: Connection, events: Sequence[EventLogEntry], rows: Sequence[Mapping[str, Any]], ids: Sequence[int]
) -> None:
    """Write results of checks over what was planned, as Dagster does for a single one."""
    columns = AssetCheckExecutionsTable.c
    planned = [columns[name].is_not_distinct_from(bindparam(f"its_{name}")) for name in PLANNED]
    updated = connection.execute(
        AssetCheckExecutionsTable.update().where(*planned),
        [_evaluated(entry, row, number) for entry, row, number in zip(events, rows, ids, strict=True)],
    ).rowcount
    if updated != len(events):
        raise LookupError(f"{updated} of {len(events)} results of checks were planned.")  # Dagster stores one by one


def _evaluated(entry: EventLogEntry, row: Mapping[str, Any], number: int) -> dict[str, Any]:
    made: AssetCheckEvaluation = entry.get_dagster_event().asset_check_evaluation_data
    status = AssetCheckExecutionRecordStatus.SUCCEEDED if made.passed else AssetCheckExecutionRecordStatus.FAILED
    target = made.target_materialization_data
    return {
        "its_asset_key": made.asset_key.to_string(),
        "its_check_name": made.check_name,
        "its_run_id": entry.run_id,
        "its_partition": made.partition,
        "execution_status": status.value,
        "evaluation_event": row["event"],
        "evaluation_event_timestamp": row["timestamp"],
        "evaluation_event_storage_id": number,
        "materialization_event_storage_id": target.storage_id if target else None,
    }


@cache
def _migrations() -> ScriptDirectory:
    return ScriptDirectory.from_config(get_alembic_config(sqlite_event_log.__file__))


def _sync_at_checkpoints_only(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")
