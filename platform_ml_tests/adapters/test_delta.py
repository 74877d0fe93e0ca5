import json
import multiprocessing
import os
import resource
import signal
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import deltalake
import duckdb
import pyarrow as pa
import pytest
from pyarrow import parquet

from platform_ml.adapters.delta import FORMAT, DeltaTables
from platform_ml.engine.ports import SEQUENCE, Content
from platform_ml.spec.errors import StoreError
from platform_ml.testing.tables import TABLE, TablesContract, content, read, stamp


class TestDeltaTables(TablesContract):
    @pytest.fixture
    def tables(self, tmp_path):
        return DeltaTables(tmp_path / "tables")


@pytest.fixture
def tables(tmp_path):
    return DeltaTables(tmp_path / "tables")


def of(**columns):
    return {"a": Content(rows=pa.table(columns), inputs="delivered")}


def data_files(tables):
    return {str(path) for path in (tables.root / TABLE).glob("_partition=*/*")}


def delta(tables):
    return deltalake.DeltaTable(tables.root / TABLE)


def test_delta_and_duckdb_read_the_same_rows(tables):
    found = tables.commit(TABLE, {"2024-01-01-05:00": content([1, 2]), "b": content([3])}, stamp())
    rows = delta(tables).to_pyarrow_table()
    assert sorted(zip(rows["_partition"].to_pylist(), rows["km"].to_pylist(), strict=True)) == [
        ("2024-01-01-05:00", 1.0),
        ("2024-01-01-05:00", 2.0),
        ("b", 3.0),
    ]
    paths = found.paths()
    sql = "SELECT _partition, sum(km) FROM read_parquet($1, hive_partitioning = true, hive_types_autocast = false) \
        GROUP BY ALL ORDER BY ALL"
    with duckdb.connect() as connection:
        assert connection.execute(sql, [paths]).fetchall() == [("2024-01-01-05:00", 3.0), ("b", 3.0)]


def test_delta_knows_the_bounds_of_numbers_and_times(tables):
    moment = datetime(2024, 1, 1, 5, 0, 0, 7, tzinfo=UTC)
    far = pa.array([2**62, None], pa.int64()).cast(pa.timestamp("us", "UTC"), safe=False)
    tables.commit(
        TABLE,
        of(n=pa.array([3, None]), at=pa.array([moment, None], pa.timestamp("us", "UTC")), far=far, ok=[True, False]),
        stamp(),
    )
    (stats,) = pa.table(delta(tables).get_add_actions(flatten=True)).to_pylist()
    assert (stats["num_records"], stats["null_count.n"], stats["min.n"], stats["max.n"]) == (2, 1, 3, 3)
    assert stats["min.at"] == stats["max.at"] == moment
    assert stats["min.far"] is None


def test_a_commit_says_who_made_it_and_what_it_holds(tables):
    found = tables.commit(TABLE, {"a": content([1])}, stamp(5))
    entry = delta(tables).history(1)[0]
    assert (entry["run_id"], entry["asset"], entry["fingerprint"], entry["code_version"]) == (
        "run-5",
        "trips",
        "declared",
        "1",
    )
    said = json.loads(entry["partitions"])["a"]
    assert said["content"] == found.partitions["a"].content
    assert said["files"][0]["path"] == found.partitions["a"].files[0].path


def test_history_is_kept_for_ever(tables):
    tables.commit(TABLE, {"a": content([1])}, stamp())
    properties = delta(tables).metadata().configuration
    assert properties["delta.logRetentionDuration"] == "interval 36500 days"
    assert properties["delta.deletedFileRetentionDuration"] == "interval 36500 days"
    assert properties["delta.enableExpiredLogCleanup"] == "false"


def test_pins_survive_checkpoints(tables):
    pinned = [tables.commit(TABLE, {"a": content([number])}, stamp(number)) for number in range(1, 110)]
    assert list((tables.root / TABLE / "_delta_log").glob("*.checkpoint*"))
    again = DeltaTables(tables.root)
    for snapshot in (pinned[0], pinned[50], pinned[-1]):
        assert again.snapshot(TABLE, snapshot.version) == snapshot
    assert again.snapshot(TABLE) == pinned[-1]


def test_another_object_sees_a_commit_at_once(tables):
    first = tables.commit(TABLE, {"a": content([1])}, stamp(1))
    other = DeltaTables(tables.root)
    assert other.snapshot(TABLE) == first
    second = tables.commit(TABLE, {"b": content([2])}, stamp(2))
    assert other.snapshot(TABLE) == second


def test_a_table_that_is_removed_and_made_again_is_another_one(tables, tmp_path):
    tables.commit(TABLE, {"a": content([1])}, stamp())
    (tables.root / TABLE).rename(tmp_path / "removed")
    assert tables.snapshot(TABLE) is None
    assert read(tables.commit(TABLE, {"a": content([2])}, stamp()), "a")["km"].to_pylist() == [2.0]


def rewrite(tables, version, change):
    path = tables.root / TABLE / "_delta_log" / f"{version:020}.json"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        change(line)
    path.write_text("\n".join(json.dumps(line) for line in lines))


def both_ways(tables, message):
    fresh = DeltaTables(tables.root)
    with pytest.raises(StoreError, match=message):
        fresh.snapshot(TABLE)
    with pytest.raises(StoreError, match=message):
        fresh.commit(TABLE, {"a": content([9])}, stamp(9))


def test_a_newer_format_is_refused(tables):
    tables.commit(TABLE, {"a": content([1])}, stamp())
    rewrite(
        tables,
        0,
        lambda line: line.get("metaData", {}).get("configuration", {}).update({"platform.format": str(FORMAT + 1)}),
    )
    both_ways(tables, "newer version of platform_ml.*Upgrade")


def test_deletion_vectors_are_refused(tables):
    tables.commit(TABLE, {"a": content([1])}, stamp())
    protocol = {
        "minReaderVersion": 3,
        "minWriterVersion": 7,
        "readerFeatures": ["deletionVectors"],
        "writerFeatures": ["deletionVectors"],
    }
    rewrite(tables, 0, lambda line: line.get("protocol", {}).update(protocol))
    both_ways(tables, "deletionVectors|cannot be opened")


def test_a_table_of_another_program_is_refused(tables):
    deltalake.write_deltalake(tables.root / TABLE, pa.table({"x": [1]}))
    both_ways(tables, "not one of platform_ml|not made by platform_ml")


def test_a_commit_of_another_program_is_refused_but_not_the_versions_before(tables):
    before = tables.commit(TABLE, {"a": content([1]), "b": content([2])}, stamp())
    delta(tables).delete("_partition = 'b'")
    both_ways(tables, "version 2 .*was not made by platform_ml")
    assert DeltaTables(tables.root).snapshot(TABLE, 1) == before


def test_a_list_of_files_that_differs_from_the_commits_is_refused(tables):
    tables.commit(TABLE, {"a": content([1])}, stamp())
    rewrite(tables, 1, lambda line: line.get("add", {}).update(path="_partition=a/other.parquet"))
    both_ways(tables, "differ")


def test_a_torn_commit_is_refused(tables):
    tables.commit(TABLE, {"a": content([1])}, stamp())
    path = tables.root / TABLE / "_delta_log" / f"{1:020}.json"
    path.write_text(path.read_text()[:-40])
    both_ways(tables, "cannot be (read|opened)")


def test_a_table_that_lost_its_first_commit_is_refused(tables):
    tables.commit(TABLE, {"a": content([1])}, stamp())
    (tables.root / TABLE / "_delta_log" / f"{0:020}.json").unlink()
    both_ways(tables, "missing")


def big(number):
    values = pa.array([float((number * 7919 + row * 104729) % 1000003) for row in range(40_000)])
    return Content(rows=pa.table({"key": pa.array(range(40_000)), "km": values}), inputs=str(number))


@pytest.fixture
def small_disk(tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", place], check=False).returncode:
        pytest.skip("mounting a small disk needs root; the limit of file sizes is tested in any case")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_changes_nothing(small_disk):
    tables = DeltaTables(small_disk)
    before = tables.commit(TABLE, {"a": content([1])}, stamp(1))
    with pytest.raises(StoreError, match=r"disk full at .*Nothing was changed.*run again"):
        tables.commit(TABLE, {f"p{number}": big(number) for number in range(20)}, stamp(2))
    assert DeltaTables(small_disk).snapshot(TABLE) == before
    assert data_files(tables) == set(before.paths())
    tables.verify(tables.commit(TABLE, {"a": content([2])}, stamp(3)))


def limited(root, answers):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    tables = DeltaTables(root)
    before = tables.commit(TABLE, {"a": content([1])}, stamp(1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))
    try:
        tables.commit(TABLE, {"b": content([2]), "c": big(1)}, stamp(2))
    except StoreError as error:
        answers.put(str(error))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    answers.put((tables.snapshot(TABLE) == before, data_files(tables) == set(before.paths())))


def started(function, *arguments):
    process = multiprocessing.get_context("spawn").Process(target=function, args=arguments)
    process.start()
    return process


def test_a_limit_of_file_sizes_changes_nothing(tables):
    answers = multiprocessing.get_context("spawn").Queue()
    process = started(limited, tables.root, answers)
    assert "Nothing was changed" in answers.get(timeout=60)
    assert answers.get(timeout=60) == (True, True)
    process.join(60)


def test_a_log_that_cannot_be_written_changes_nothing(tables, monkeypatch):
    before = tables.commit(TABLE, {"a": content([1])}, stamp(1))

    def refuse(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(deltalake.DeltaTable, "create_write_transaction", refuse)
    with pytest.raises(StoreError, match="Nothing was changed"):
        tables.commit(TABLE, {"a": content([2])}, stamp(2))
    assert tables.snapshot(TABLE) == before
    assert data_files(tables) == set(before.paths())


@pytest.mark.parametrize("late", [deltalake.exceptions.CommitFailedError("late"), OSError(28, "late")])
def test_a_failure_after_the_commit_is_none(tables, monkeypatch, late):
    tables.commit(TABLE, {"a": content([1])}, stamp(1))
    real = deltalake.DeltaTable.create_write_transaction

    def commit_then_fail(*arguments, **options):
        real(*arguments, **options)
        raise late

    monkeypatch.setattr(deltalake.DeltaTable, "create_write_transaction", commit_then_fail)
    found = tables.commit(TABLE, {"a": content([2])}, stamp(2))
    tables.verify(found)
    assert read(found, "a")["km"].to_pylist() == [2.0]


def test_an_interrupt_after_the_commit_leaves_its_files(tables, monkeypatch):
    real = deltalake.DeltaTable.create_write_transaction

    def commit_then_stop(*arguments, **options):
        real(*arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(deltalake.DeltaTable, "create_write_transaction", commit_then_stop)
    with pytest.raises(KeyboardInterrupt):
        tables.commit(TABLE, {"a": content([2])}, stamp(2))
    tables.verify(tables.snapshot(TABLE))


def overtaken(tables, monkeypatch, *partitions):
    """Let another writer commit these partitions each time when ours is about to."""
    real, waiting = deltalake.DeltaTable.create_write_transaction, list(partitions)

    def late(*arguments, **options):
        if waiting:
            others = waiting.pop(0)
            DeltaTables(tables.root).commit(TABLE, others, stamp(1))
        real(*arguments, **options)

    monkeypatch.setattr(deltalake.DeltaTable, "create_write_transaction", late)


def test_a_conflict_costs_no_second_writing_of_files(tables, monkeypatch):
    tables.commit(TABLE, {"z": content([0])}, stamp(1))
    overtaken(tables, monkeypatch, {"b": content([5])})
    found = tables.commit(TABLE, {"a": content([1])}, stamp(2))
    assert found.version == 3
    assert data_files(tables) == set(found.paths())
    (path,) = found.paths(["a"])
    assert parquet.read_table(path, partitioning=None)[SEQUENCE].to_pylist() == [2]


def test_a_conflict_about_the_same_partition_is_ordered(tables, monkeypatch):
    tables.commit(TABLE, {"z": content([0])}, stamp(1))
    overtaken(tables, monkeypatch, {"a": content([5])})
    found = tables.commit(TABLE, {"a": content([1])}, stamp(2))
    (path,) = found.paths(["a"])
    assert parquet.read_table(path, partitioning=None)[SEQUENCE].to_pylist() == [3]
    assert read(found, "a")["km"].to_pylist() == [1.0]


def test_a_conflict_with_the_same_content_leaves_nothing_to_do(tables, monkeypatch):
    tables.commit(TABLE, {"z": content([0])}, stamp(1))
    overtaken(tables, monkeypatch, {"a": content([1])})
    found = tables.commit(TABLE, {"a": content([1])}, stamp(2))
    assert found.version == 2
    assert data_files(tables) == set(found.paths())


def test_an_attempt_that_becomes_old_while_it_writes_is_refused(tables, monkeypatch):
    tables.commit(TABLE, {"z": content([0])}, stamp(0))
    overtaken(tables, monkeypatch, {"a": content([5])})
    with pytest.raises(StoreError, match="newer attempt"):
        tables.commit(TABLE, {"a": content([1])}, stamp(0))
    found = tables.snapshot(TABLE)
    assert read(found, "a")["km"].to_pylist() == [5.0]
    assert data_files(tables) == set(found.paths())


def test_a_column_that_another_writer_added_meanwhile_is_seen(tables, monkeypatch):
    tables.commit(TABLE, of(key=[1]), stamp(1))
    overtaken(tables, monkeypatch, {"b": Content(rows=pa.table({"key": [2], "new": ["x"]}), inputs="i")})
    tables.commit(TABLE, of(key=[3]), stamp(2))
    assert "new" in tables.snapshot(TABLE).schema.names


def write_many(root, name, barrier):
    barrier.wait()
    tables = DeltaTables(root)
    for number in range(15):
        tables.commit(TABLE, {f"{name}-{number}": content([number]), name: content([number])}, stamp(number))


def test_two_processes_lose_nothing(tables):
    barrier = multiprocessing.get_context("spawn").Barrier(2)
    writers = [started(write_many, tables.root, name, barrier) for name in ("a", "b")]
    for writer in writers:
        writer.join(100)
        assert not writer.is_alive()
    found = tables.snapshot(TABLE)
    expected = {f"{name}-{number}": float(number) for name in "ab" for number in range(15)} | {"a": 14.0, "b": 14.0}
    assert {key: read(found, key)["km"].to_pylist() for key in found.partitions} == {
        k: [v] for k, v in expected.items()
    }
    tables.verify(found)
    assert found.version == 30


def test_left_overs_are_swept_when_they_are_old(tables):
    first = tables.commit(TABLE, {"a": content([1])}, stamp(1))
    found = tables.commit(TABLE, {"a": content([2])}, stamp(2))
    home = Path(found.paths()[0]).parent
    old, young, torn = (home / name for name in ("dead.parquet", "alive.parquet", "dead.parquet#1"))
    log = tables.root / TABLE / "_delta_log" / "00000000000000000009.json#1"
    for path in (old, young, torn, log):
        path.write_bytes(b"half")
    past = time.time() - 7200
    for path in (old, torn, log, *map(Path, first.paths() + found.paths())):
        os.utime(path, (past, past))
    assert len(tables.sweep(TABLE)) == 3
    assert young.exists()
    assert not any(path.exists() for path in (old, torn, log))
    tables.verify(first)
    tables.verify(found)
    assert tables.sweep("retail/unknown") == []
