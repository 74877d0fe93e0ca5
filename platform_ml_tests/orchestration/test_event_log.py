"""Keeping connections open loses no event and hides none."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from dagster import (
    AssetCheckEvaluation,
    AssetKey,
    AssetMaterialization,
    DagsterEventType,
    StaticPartitionsDefinition,
)
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationPlanned
from dagster._core.events import AssetMaterializationPlannedData, DagsterEvent, StepMaterializationData
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from platform_ml.orchestration import event_log
from platform_ml.orchestration.event_log import KeptOpenSqliteEventLogStorage

ROOT = Path(__file__).parents[2]
RUN = "11111111-2222-3333-4444-555555555555"

WRITER = """
import sys
from platform_ml.orchestration.event_log import KeptOpenSqliteEventLogStorage
from platform_ml_tests.orchestration.test_event_log import materialized

storage = KeptOpenSqliteEventLogStorage(sys.argv[1])
for number in range(100_000):
    storage.store_event(materialized(number))
    print(number, flush=True)
"""


def materialized(number, run_id=RUN):
    data = StepMaterializationData(AssetMaterialization("a", partition=str(number), tags={"dagster/data_version": "x"}))
    return entry(DagsterEventType.ASSET_MATERIALIZATION, data, run_id, time.time())


def entry(kind, data, run_id=RUN, at=1_700_000_000.0):
    happened = DagsterEvent(kind.value, "job", event_specific_data=data)
    return EventLogEntry(None, "debug", "", run_id, at, dagster_event=happened)


def evaluated(number, **changes):
    data = AssetCheckEvaluation(
        asset_key=AssetKey("a"),
        check_name="there",
        partition=str(number),
        passed=number % 2 == 0,
        metadata={},
        **changes,
    )
    return entry(DagsterEventType.ASSET_CHECK_EVALUATION, data)


PARTITIONS = StaticPartitionsDefinition(["0", "1", "2"])
ALL = [
    *(
        entry(DagsterEventType.ASSET_MATERIALIZATION_PLANNED, AssetMaterializationPlannedData(AssetKey(name), key))
        for name in ("b", "a")
        for key in PARTITIONS.get_partition_keys()
    ),
    entry(
        DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED,
        AssetCheckEvaluationPlanned(
            asset_key=AssetKey("a"),
            check_name="there",
            partitions_subset=PARTITIONS.subset_with_all_partitions(),
        ),
    ),
    *(materialized(number) for number in range(3)),
    *(evaluated(number, description="Found.") for number in range(3)),
]
"""What a run over three partitions of two assets says."""


def tables(storage):
    """Every row of every shard, but for when it was written."""
    found = {}
    for shard in (RUN, "index"):
        with storage.run_connection(shard) as connection:
            for table in ("event_logs", "asset_keys", "asset_event_tags", "asset_check_executions"):
                rows = connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY 1").mappings()
                found[shard, table] = [{k: v for k, v in row.items() if k != "create_timestamp"} for row in rows]
    return found


@pytest.fixture
def storage(tmp_path):
    storage = KeptOpenSqliteEventLogStorage(str(tmp_path))
    yield storage
    storage.dispose()


def partitions(storage, run_id=RUN):
    return [int(entry.dagster_event.partition) for entry in storage.get_logs_for_run(run_id)]


@pytest.mark.parametrize("reader", [KeptOpenSqliteEventLogStorage, SqliteEventLogStorage])
def test_a_killed_process_loses_no_stored_event(tmp_path, reader):
    command = [sys.executable, "-c", WRITER, tmp_path]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    stored = [int(writer.stdout.readline()) for _ in range(150)]
    os.kill(writer.pid, signal.SIGKILL)
    stored += [int(line) for line in writer.stdout.read().split()]
    writer.stdout.close()
    assert writer.wait() == -signal.SIGKILL

    storage = reader(str(tmp_path))
    kept = partitions(storage)
    index = storage.get_materialized_partitions(AssetKey("a"))
    storage.dispose()
    assert kept == list(range(len(kept)))
    assert len(kept) - len(stored) in (0, 1)  # the last one may have been stored and not yet printed
    assert {str(number) for number in stored} <= index


def test_dagsters_own_class_reads_while_we_write(storage, tmp_path):
    storage.store_event(materialized(1))
    assert partitions(SqliteEventLogStorage(str(tmp_path))) == [1]
    storage.store_event(materialized(2))
    assert partitions(SqliteEventLogStorage(str(tmp_path))) == [1, 2]


def test_a_watcher_hears_events_that_lie_only_in_the_write_ahead_log(storage, tmp_path):
    storage.store_event(materialized(0))
    heard, enough = [], threading.Event()

    def hear(entry, _cursor):
        heard.append(int(entry.dagster_event.partition))
        if len(heard) == 3:
            enough.set()

    reader = KeptOpenSqliteEventLogStorage(str(tmp_path))
    reader.watch(RUN, None, hear)
    storage.store_event(materialized(1))
    storage.store_event(materialized(2))
    assert enough.wait(10)
    reader.end_watch(RUN, hear)
    reader.dispose()
    assert heard == [0, 1, 2]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are listed on Linux only")
def test_many_runs_keep_few_files_open(storage):
    runs = [f"run-{number}" for number in range(3 * event_log.OPEN_SHARDS)]
    for number, run in enumerate(runs):
        storage.store_event(materialized(number, run))
    held = {link.readlink().name for link in Path("/proc/self/fd").iterdir() if link.is_symlink()}
    assert len(held & {f"{run}.db" for run in runs}) <= event_log.OPEN_SHARDS
    assert [partitions(storage, run) for run in runs] == [[number] for number in range(len(runs))]


def test_wiped_means_empty_and_usable(storage):
    storage.store_event(materialized(1))
    storage.wipe()
    assert partitions(storage) == []
    storage.store_event(materialized(2))
    assert partitions(storage) == [2]


def test_a_table_that_is_made_later_is_seen(storage):
    assert storage.has_table("asset_check_executions")
    assert not storage.has_table("notes")
    with storage.index_connection() as connection:
        connection.exec_driver_sql("CREATE TABLE notes (text TEXT)")
    assert storage.has_table("notes")


def test_threads_share_one_storage(storage):
    def write(thread):
        for number in range(20):
            storage.store_event(materialized(100 * thread + number))

    threads = [threading.Thread(target=write, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(partitions(storage)) == sorted(100 * thread + number for thread in range(4) for number in range(20))


def test_a_batch_leaves_the_rows_that_its_events_leave_one_by_one(storage, tmp_path):
    alone = SqliteEventLogStorage(str(tmp_path / "alone"))
    for one in ALL:
        alone.store_event(one)
    storage.store_event_batch(ALL)
    found = tables(storage)
    assert found == tables(alone)
    checks = {row["partition"]: row["execution_status"] for row in found["index", "asset_check_executions"]}
    assert checks == {"0": "SUCCEEDED", "1": "FAILED", "2": "SUCCEEDED"}


def test_of_a_batch_that_fails_nothing_is_stored(storage):
    with pytest.raises(LookupError, match="4 of 5 results of checks were planned"):
        storage.store_event_batch([*ALL, evaluated(1), evaluated(77)])
    assert not any(tables(storage).values())
    storage.store_event(materialized(1))
    assert partitions(storage) == [1]


def test_a_run_is_a_file_like_dagsters_own_and_several_may_make_it_at_once(storage, tmp_path):
    theirs = SqliteEventLogStorage(str(tmp_path / "theirs"))
    with theirs.run_connection(RUN):
        pass
    ours = [KeptOpenSqliteEventLogStorage(str(tmp_path)) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda one: one.store_event(materialized(1)), ours))
    assert partitions(storage) == [1] * 4
    for one in ours:
        one.dispose()
    files = [sqlite3.connect(folder / f"{RUN}.db") for folder in (tmp_path, tmp_path / "theirs")]
    kept, expected = (
        {line for line in file.iterdump() if "event_logs" not in line or "CREATE" in line} for file in files
    )
    modes = [file.execute("PRAGMA journal_mode").fetchone() for file in files]
    for file in files:
        file.close()
    assert kept - expected == expected - kept == set()
    assert modes == [("wal",)] * 2
