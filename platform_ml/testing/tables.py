"""The laws of tables: a store's test class inherits them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from platform_ml.engine.content import content_hash
from platform_ml.engine.ports import CREATED, PARTITION, SEQUENCE, Content, Stamp
from platform_ml.spec.errors import StoreError
from platform_ml.spec.origin import Delivered
from platform_ml.spec.statistics import ColumnStatistics, PartitionStatistics

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from platform_ml.engine.ports import Snapshot, Tables

TABLE = "retail/trips"
HOSTILE_KEYS = (
    *("", "x' OR p!='", 'x"', "a/b", "..\\x", "a b", "a%2Fb", "ä", "line\nbreak", "nul\0", "a,b", "k" * 65),
    *("day\n", "*", "$x", "a=b", "(x)", "x;y"),
)


def stamp(token: int = 1, fingerprint: str = "declared") -> Stamp:
    """Who writes, with every field that a law does not care about."""
    return Stamp(run_id=f"run-{token}", asset="trips", fingerprint=fingerprint, code_version="1", token=token)


def content(values: Sequence[float | None], inputs: str = "delivered", statistics: float | None = None) -> Content:
    """One partition of numbered rows; `statistics` is the mean that they tell."""
    import pyarrow as pa

    rows = {"key": pa.array(range(len(values)), pa.int64()), "km": pa.array(values, pa.float64())}
    told = None if statistics is None else measured(len(values), statistics)
    return Content(rows=pa.table(rows), inputs=inputs, statistics=told)


def measured(rows: int, mean: float) -> PartitionStatistics:
    """Statistics of numbered rows."""
    km = ColumnStatistics(kind="number", nulls=0, distinct=1, mean=mean, quantiles=(mean, mean))
    return PartitionStatistics(rows=rows, sampled=rows, columns={"km": km})


def read(snapshot: Snapshot, key: str) -> pa.Table:
    """The rows of one partition, without the platform's columns."""
    import pyarrow as pa
    from pyarrow import parquet

    paths = snapshot.paths([key])
    found = [parquet.read_table(path, partitioning=None) for path in paths]
    rows = pa.concat_tables(found) if found else snapshot.schema.empty_table()
    return rows.drop_columns([name for name in (PARTITION, CREATED, SEQUENCE) if name in rows.column_names])


class TablesContract:
    """What every store of tables promises."""

    @pytest.fixture
    def tables(self, tmp_path: Path) -> Tables:
        """An empty store."""
        raise NotImplementedError

    def test_a_table_that_was_never_written_is_none(self, tables: Tables) -> None:
        assert tables.snapshot(TABLE) is None

    def test_returns_what_was_written(self, tables: Tables) -> None:
        given = content([1.5, None, 2.5])
        written = tables.commit(TABLE, {"2024-01-01": given}, stamp())
        found = tables.snapshot(TABLE)
        assert found == written
        state = written.partitions["2024-01-01"]
        assert (state.rows, state.inputs, state.fingerprint, state.run_id) == (3, "delivered", "declared", "run-1")
        assert state.content == content_hash(given.rows) == content_hash(read(written, "2024-01-01"))
        assert {"key", "km", PARTITION, CREATED, SEQUENCE} == set(written.schema.names)

    def test_a_replaced_partition_holds_the_new_rows_only(self, tables: Tables) -> None:
        tables.commit(TABLE, {"a": content([1, 2, 3])}, stamp(1))
        found = tables.commit(TABLE, {"a": content([4])}, stamp(2))
        assert read(found, "a")["km"].to_pylist() == [4.0]

    def test_other_partitions_are_left_alone(self, tables: Tables) -> None:
        before = tables.commit(TABLE, {"a": content([1]), "b": content([2])}, stamp(1))
        after = tables.commit(TABLE, {"a": content([3])}, stamp(2))
        assert after.partitions["b"] == before.partitions["b"]
        assert set(after.partitions) == {"a", "b"}

    def test_the_same_content_makes_no_commit(self, tables: Tables) -> None:
        before = tables.commit(TABLE, {"a": content([1]), "b": content([2])}, stamp(1))
        assert tables.commit(TABLE, {"b": content([2]), "a": content([1])}, stamp(2)) == before

    def test_of_many_partitions_only_the_changed_one_is_written(self, tables: Tables) -> None:
        before = tables.commit(TABLE, {"a": content([1]), "b": content([2])}, stamp(1))
        after = tables.commit(TABLE, {"a": content([1]), "b": content([3])}, stamp(2))
        assert after.partitions["a"] == before.partitions["a"]
        assert read(after, "b")["km"].to_pylist() == [3.0]

    def test_the_same_rows_of_other_inputs_or_declaration_are_a_commit(self, tables: Tables) -> None:
        first = tables.commit(TABLE, {"a": content([1])}, stamp(1))
        second = tables.commit(TABLE, {"a": content([1], inputs="later")}, stamp(1))
        third = tables.commit(TABLE, {"a": content([1], inputs="later")}, stamp(1, fingerprint="changed"))
        assert first.version < second.version < third.version
        assert second.partitions["a"].inputs == "later"
        assert third.partitions["a"].fingerprint == "changed"

    def test_statistics_go_with_the_rows(self, tables: Tables) -> None:
        first = tables.commit(TABLE, {"a": content([1], statistics=1.5), "b": content([2])}, stamp(1))
        second = tables.commit(TABLE, {"a": content([3], statistics=3.5)}, stamp(2))
        assert tables.statistics(second) == {"a": measured(1, 3.5)}
        assert tables.statistics(first, ["a", "b", "c"]) == {"a": measured(1, 1.5)}

    def test_the_files_that_rows_came_from_go_with_them(self, tables: Tables) -> None:
        files = [Delivered(name=f"a/{n}.csv", size=n, stamp=f"tag-{n}", sha256="0" * 64) for n in range(3)]
        first = tables.commit(TABLE, {"a": replace(content([1]), manifest=files), "b": content([2])}, stamp(1))
        second = tables.commit(TABLE, {"a": replace(content([1], inputs="more"), manifest=files[1:])}, stamp(2))
        assert second.partitions["a"].manifest == tuple(files[1:])
        assert (first.partitions["a"].manifest, second.partitions["b"].manifest) == (tuple(files), ())
        assert tables.snapshot(TABLE, first.version) == first

    def test_other_statistics_of_the_same_rows_are_no_commit(self, tables: Tables) -> None:
        first = tables.commit(TABLE, {"a": content([1], statistics=1.5)}, stamp(1))
        again = tables.commit(TABLE, {"a": content([1], statistics=2.5)}, stamp(2))
        assert again == first
        assert tables.statistics(again) == {"a": measured(1, 1.5)}

    def test_a_pinned_version_never_changes(self, tables: Tables) -> None:
        pinned = tables.commit(TABLE, {"a": content([1]), "b": content([2])}, stamp(1))
        for number in range(3, 8):
            tables.commit(TABLE, {"a": content([number])}, stamp(number))
        assert tables.snapshot(TABLE, pinned.version) == pinned
        tables.verify(pinned)
        assert read(pinned, "a")["km"].to_pylist() == [1.0]

    def test_a_version_that_was_not_made_yet_is_refused(self, tables: Tables) -> None:
        newest = tables.commit(TABLE, {"a": content([1])}, stamp())
        with pytest.raises(StoreError, match="version"):
            tables.snapshot(TABLE, newest.version + 1)

    def test_an_older_attempt_is_refused(self, tables: Tables) -> None:
        newest = tables.commit(TABLE, {"a": content([1])}, stamp(7))
        with pytest.raises(StoreError, match=r"retail/trips.*'a'.*newer attempt"):
            tables.commit(TABLE, {"a": content([2]), "b": content([2])}, stamp(6))
        assert tables.snapshot(TABLE) == newest

    def test_an_older_attempt_may_write_what_the_newer_one_did_not(self, tables: Tables) -> None:
        tables.commit(TABLE, {"a": content([1])}, stamp(7))
        found = tables.commit(TABLE, {"b": content([2])}, stamp(6))
        assert set(found.partitions) == {"a", "b"}

    def test_a_newer_attempt_wins(self, tables: Tables) -> None:
        tables.commit(TABLE, {"a": content([1])}, stamp(6))
        assert tables.commit(TABLE, {"a": content([2])}, stamp(7)).partitions["a"].run_id == "run-7"

    def test_an_empty_partition_is_kept(self, tables: Tables) -> None:
        found = tables.commit(TABLE, {"a": content([]), "b": content([1])}, stamp(1))
        assert found.partitions["a"].rows == 0
        assert tables.commit(TABLE, {"a": content([])}, stamp(2)) == found
        emptied = tables.commit(TABLE, {"b": content([])}, stamp(3))
        assert [state.rows for state in emptied.partitions.values()] == [0, 0]
        assert read(emptied, "b").num_rows == 0
        tables.verify(emptied)

    def test_rows_know_when_and_after_what_they_were_written(self, tables: Tables) -> None:
        from pyarrow import parquet

        previous, latest = 0, None
        for number in range(1, 4):
            found = tables.commit(TABLE, {"a": content([number])}, stamp(number))
            (path,) = found.paths()
            rows = parquet.read_table(path, partitioning=None)
            (sequence,) = rows[SEQUENCE].to_pylist()
            (created,) = rows[CREATED].to_pylist()
            assert previous < sequence <= found.version
            assert created == found.partitions["a"].created
            assert latest is None or latest <= created
            previous, latest = sequence, created

    def test_a_flipped_bit_is_found(self, tables: Tables) -> None:
        found = tables.commit(TABLE, {"a": content([1, 2, 3]), "b": content([4])}, stamp())
        tables.verify(found)
        (path,) = (Path(path) for path in found.paths(["a"]))
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        tables.verify(found, ["b"])
        with pytest.raises(StoreError, match="'a'"):
            tables.verify(found)

    def test_a_lost_file_is_found(self, tables: Tables) -> None:
        found = tables.commit(TABLE, {"a": content([1])}, stamp())
        (path,) = found.paths()
        Path(path).unlink()
        with pytest.raises(StoreError, match="'a'"):
            tables.verify(found, ["a"])

    def test_a_partition_that_is_not_there_cannot_be_verified(self, tables: Tables) -> None:
        found = tables.commit(TABLE, {"2024-01-01": content([1])}, stamp())
        with pytest.raises(StoreError, match="Did you mean '2024-01-01'"):
            tables.verify(found, ["2024-01-02"])

    @pytest.mark.parametrize("key", HOSTILE_KEYS)
    def test_a_key_that_could_be_more_than_a_key_is_refused(self, tables: Tables, key: str) -> None:
        before = tables.commit(TABLE, {"a": content([1]), "x": content([2])}, stamp(1))
        with pytest.raises(StoreError, match="partition key"):
            tables.commit(TABLE, {key: content([3])}, stamp(2))
        assert tables.snapshot(TABLE) == before

    @pytest.mark.parametrize("key", ["all", "2024-01-31", "2024-01-31-05:00", "a_b.c", "..", "k" * 64])
    def test_an_ordinary_key_is_taken(self, tables: Tables, key: str) -> None:
        tables.commit(TABLE, {"other": content([1])}, stamp(1))
        tables.commit(TABLE, {key: content([2])}, stamp(2))
        found = tables.commit(TABLE, {key: content([3])}, stamp(3))
        tables.verify(found)
        assert read(found, key)["km"].to_pylist() == [3.0]

    @pytest.mark.parametrize("name", ["", "Trips", "retail/", "/trips", "retail/../trips", "a b", "1trips", "trips'"])
    def test_a_table_is_named_by_plain_words(self, tables: Tables, name: str) -> None:
        with pytest.raises(StoreError, match="name"):
            tables.snapshot(name)
        with pytest.raises(StoreError, match="name"):
            tables.commit(name, {"a": content([1])}, stamp())
