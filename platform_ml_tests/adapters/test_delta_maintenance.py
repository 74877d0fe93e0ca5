import os
import time
from datetime import timedelta

import deltalake
import pyarrow as pa
import pytest
from pyarrow import parquet

from platform_ml.adapters import delta_files
from platform_ml.adapters.delta import DeltaTables
from platform_ml.engine.ports import Compacted, Content, Vacuumed
from platform_ml.spec.errors import StoreError
from platform_ml.testing.tables import TABLE, content, read, stamp

NOW = timedelta(0)
KEYS = ("2024-01-31-05:00", "b")


@pytest.fixture
def tables(tmp_path):
    return DeltaTables(tmp_path / "tables")


@pytest.fixture
def poor(tables, monkeypatch):
    """Two partitions of many small row groups, as an older writer left them, and one that is as it should be."""
    with monkeypatch.context() as older:
        older.setattr(delta_files, "ROW_GROUP", 8)
        rows = content([float(n) if n % 7 else None for n in range(100)])
        tables.commit(TABLE, dict.fromkeys(KEYS, rows), stamp(3, "one"))
    tables.commit(TABLE, {"c": content([1, 2]), "empty": content([])}, stamp(4, "other"))
    return tables


def bytes_of(snapshot):
    return {
        key: [(snapshot.folder / file.path).read_bytes() for file in s.files] for key, s in snapshot.partitions.items()
    }


def whole(snapshot, key):
    return pa.concat_tables(parquet.ParquetFile(path).read() for path in snapshot.paths([key]))


def data_files(tables):
    return {str(path) for path in (tables.root / TABLE).glob("_partition=*/*")}


def without_files(state):
    return {name: value for name, value in vars(state).items() if name != "files"}


def test_compaction_changes_files_and_nothing_else(poor):
    before = poor.snapshot(TABLE)
    pinned = bytes_of(before)
    done = poor.compact(TABLE)
    assert (done.partitions, done.checkpoint) == (2, False)
    assert 0 < done.after < done.before == sum(before.partitions[key].files[0].size for key in KEYS)
    for tables in (poor, DeltaTables(poor.root)):
        after = tables.snapshot(TABLE)
        assert after.version == before.version + 1
        for key in before.partitions:
            assert without_files(after.partitions[key]) == without_files(before.partitions[key])
        for key in KEYS:
            assert whole(after, key) == whole(before, key)
            assert parquet.read_metadata(after.paths([key])[0]).num_row_groups == 1
        assert after.partitions["c"] == before.partitions["c"]
        tables.verify(after)
        assert tables.snapshot(TABLE, before.version) == before
    assert bytes_of(before) == pinned
    rows = deltalake.DeltaTable(poor.root / TABLE).to_pyarrow_table()
    assert rows.num_rows == 202


def test_what_is_laid_out_well_is_left_alone(poor):
    poor.compact(TABLE)
    before = poor.snapshot(TABLE)
    assert poor.compact(TABLE) == Compacted(partitions=0, before=0, after=0, checkpoint=False)
    assert poor.snapshot(TABLE) == before
    assert poor.compact("retail/unknown") == Compacted(partitions=0, before=0, after=0, checkpoint=False)


def test_a_dry_run_does_nothing(poor):
    before, files = poor.snapshot(TABLE), data_files(poor)
    assert poor.compact(TABLE, dry_run=True).partitions == 2
    poor.compact(TABLE)
    files = data_files(poor)
    found = poor.vacuum(TABLE, {}, keep=NOW, dry_run=True)
    assert (found.files, found.versions) == (2, 2)
    assert data_files(poor) == files
    poor.verify(before)


def test_the_same_content_makes_no_commit_after_a_compaction_and_old_attempts_stay_refused(poor):
    poor.compact(TABLE)
    before = poor.snapshot(TABLE)
    rows = content([float(n) if n % 7 else None for n in range(100)])
    assert poor.commit(TABLE, {"b": rows}, stamp(5, "one")) == before
    with pytest.raises(StoreError, match="newer attempt"):
        poor.commit(TABLE, {"b": content([1])}, stamp(2, "one"))
    after = poor.commit(TABLE, {"b": content([1])}, stamp(6, "one"))
    assert read(after, "b")["km"].to_pylist() == [1.0]


def test_a_writer_that_comes_first_wins(poor, monkeypatch):
    real, waiting = deltalake.DeltaTable.create_write_transaction, [content([9])]

    def late(*arguments, **options):
        if waiting:
            DeltaTables(poor.root).commit(TABLE, {"b": waiting.pop()}, stamp(9))
        real(*arguments, **options)

    monkeypatch.setattr(deltalake.DeltaTable, "create_write_transaction", late)
    assert poor.compact(TABLE).partitions == 1
    found = poor.snapshot(TABLE)
    assert (read(found, "b")["km"].to_pylist(), found.partitions["b"].run_id) == ([9.0], "run-9")
    poor.verify(found)
    assert len(data_files(poor)) == 5


def test_a_damaged_file_is_not_copied(poor):
    snapshot = poor.snapshot(TABLE)
    path = snapshot.folder / snapshot.partitions["b"].files[0].path
    data = bytearray(path.read_bytes())
    data[20] ^= 1
    path.write_bytes(data)
    files = data_files(poor)
    with pytest.raises(StoreError, match="'b' does not hold what was written"):
        poor.compact(TABLE)
    assert data_files(poor) == files
    assert poor.snapshot(TABLE) == snapshot


def test_many_commits_make_a_checkpoint(tables):
    for number in range(25):
        last = tables.commit(TABLE, {"a": content([number])}, stamp(number))
    log = tables.root / TABLE / "_delta_log"
    assert tables.compact(TABLE, dry_run=True).checkpoint
    assert list(log.glob("*.checkpoint*")) == []
    assert tables.compact(TABLE).checkpoint
    assert not tables.compact(TABLE).checkpoint
    assert len(list(log.glob(f"{last.version:020}.checkpoint*"))) == 1
    assert len(list(log.glob("*.json"))) == last.version + 1
    again = DeltaTables(tables.root)
    assert again.snapshot(TABLE) == last
    assert read(again.snapshot(TABLE, 3), "a")["km"].to_pylist() == [2.0]


def test_vacuum_keeps_the_newest_and_what_is_pinned(tables):
    made = [tables.commit(TABLE, {"a": content([n]), "b": content([-n])}, stamp(n)) for n in range(1, 7)]
    before = [bytes_of(one) for one in made]
    done = tables.vacuum(TABLE, {made[1].version: None, made[3].version: ["b"]}, keep=NOW)
    assert (done.files, done.versions) == (7, 4)
    assert done.size == sum(len(data) for n in (0, 2, 4) for d in before[n].values() for data in d) + len(
        before[3]["a"][0]
    )
    for tables_now in (tables, DeltaTables(tables.root)):
        for n in (1, 5):
            assert tables_now.snapshot(TABLE, made[n].version) == made[n]
            tables_now.verify(made[n])
            assert bytes_of(made[n]) == before[n]
        tables_now.verify(made[3], ["b"])
        with pytest.raises(
            StoreError, match=r"version 4, partition 'a' was vacuumed on 20..-..-..: no dataset pinned it"
        ):
            tables_now.verify(made[3], ["a"])
        with pytest.raises(StoreError, match=r"version 1, partition 'a' was vacuumed"):
            tables_now.verify(tables_now.snapshot(TABLE, 1))
    assert tables.vacuum(TABLE, {made[1].version: None, made[3].version: ["b"]}, keep=NOW) == Vacuumed(
        files=0, size=0, versions=0
    )
    assert tables.sweep(TABLE) == []


def test_versions_that_were_the_newest_lately_are_kept(tables):
    made = [tables.commit(TABLE, {"a": content([n])}, stamp(n)) for n in range(1, 4)]
    assert tables.vacuum(TABLE, {}, keep=timedelta(days=7)).files == 0
    for one in made:
        tables.verify(one)
    time.sleep(0.01)
    last = tables.commit(TABLE, {"a": content([9])}, stamp(9))
    assert tables.vacuum(TABLE, {}, keep=timedelta(days=-1)).files == 3
    tables.verify(last)


def test_a_pin_that_the_table_does_not_have_stops_the_vacuum(tables):
    tables.commit(TABLE, {"a": content([1])}, stamp(1))
    tables.commit(TABLE, {"a": content([2])}, stamp(2))
    files = data_files(tables)
    with pytest.raises(StoreError, match=r"version 7 is pinned, but the newest is 2\. Nothing was removed"):
        tables.vacuum(TABLE, {7: None}, keep=NOW)
    assert data_files(tables) == files
    assert tables.vacuum("retail/unknown", {}, keep=NOW).files == 0


def test_a_vacuum_that_is_killed_goes_on(tables, monkeypatch):
    made = [tables.commit(TABLE, {"a": content([n])}, stamp(n)) for n in range(1, 5)]
    real, count = os.unlink, []

    def stop(path, *arguments, **options):
        if count:
            raise KeyboardInterrupt
        count.append(path)
        real(path, *arguments, **options)

    with monkeypatch.context() as killed:
        killed.setattr(os, "unlink", stop)
        with pytest.raises(KeyboardInterrupt):
            tables.vacuum(TABLE, {}, keep=NOW)
    assert len(data_files(tables)) == 3
    with pytest.raises(StoreError, match="was vacuumed on"):
        tables.verify(next(one for one in made if not set(one.paths()) <= data_files(tables)))
    assert tables.vacuum(TABLE, {}, keep=NOW).files == 2
    tables.verify(made[-1])


def test_a_column_that_came_later_is_not_added_to_older_files(tables, monkeypatch):
    with monkeypatch.context() as older:
        older.setattr(delta_files, "ROW_GROUP", 1)
        tables.commit(TABLE, {"a": content([1, 2])}, stamp(1))
    wider = pa.table({"key": [1], "km": [2.0], "new": ["x"]})
    before = tables.commit(TABLE, {"b": Content(rows=wider, inputs="i")}, stamp(2))
    assert tables.compact(TABLE).partitions == 1
    after = tables.snapshot(TABLE)
    assert whole(after, "a") == whole(before, "a")
    assert after.partitions["a"].content == before.partitions["a"].content
