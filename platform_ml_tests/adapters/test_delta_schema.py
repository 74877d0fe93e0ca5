from datetime import UTC, datetime
from decimal import Decimal

import deltalake
import pyarrow as pa
import pytest

from platform_ml.adapters.delta import DeltaTables
from platform_ml.adapters.duckdb import DuckDB
from platform_ml.engine.content import content_hash
from platform_ml.engine.ports import Content, Files
from platform_ml.spec.errors import StoreError
from platform_ml.testing.tables import TABLE, read, stamp


@pytest.fixture
def tables(tmp_path):
    return DeltaTables(tmp_path / "tables")


def of(**columns):
    return {"a": Content(rows=pa.table(columns), inputs="delivered")}


def test_a_new_column_is_added_and_is_null_before(tables):
    tables.commit(TABLE, {**of(key=[1]), "b": Content(rows=pa.table({"key": [2]}), inputs="i")}, stamp(1))
    found = tables.commit(TABLE, of(races=["x"], key=[1]), stamp(2))
    assert found.schema.names[-2:] == ["key", "races"]
    assert read(found, "a").to_pylist() == [{"key": 1, "races": "x"}]
    rows = (
        deltalake.DeltaTable(tables.root / TABLE).to_pyarrow_table().select(["key", "races"]).sort_by("key").to_pylist()
    )
    assert rows == [{"key": 1, "races": "x"}, {"key": 2, "races": None}]
    assert tables.snapshot(TABLE, 1).schema.names[-1] == "key"


def test_the_order_of_columns_is_the_tables(tables):
    first = tables.commit(TABLE, of(key=[1], km=[2.0]), stamp(1))
    assert tables.commit(TABLE, of(km=[2.0], key=[1]), stamp(2)) == first


@pytest.mark.parametrize(
    ("later", "message"),
    [
        ({"key": [1.5], "km": [2.0]}, "'key' is int64 in the table and double here. Give the column another name"),
        ({"key": [1], "km": [2.0], "KEY": [1]}, "'key' occurs twice"),
        ({"key": [1], "km": [2.0], "_seq": [1]}, "'_seq' is written by the platform"),
        ({"key": [1], "km": [2.0], "a b": [1]}, "'a b' is empty or holds"),
    ],
)
def test_any_other_change_of_columns_is_refused(tables, later, message):
    before = tables.commit(TABLE, of(key=[1], km=[2.0]), stamp(1))
    with pytest.raises(StoreError, match=message):
        tables.commit(TABLE, of(**later), stamp(2))
    assert tables.snapshot(TABLE) == before
    assert {str(path) for path in (tables.root / TABLE).glob("_partition=*/*")} == set(before.paths())


def test_a_column_that_is_dropped_stays_for_the_rows_that_have_it(tables):
    tables.commit(TABLE, {"a": Content(rows=pa.table({"key": [1], "km": [2.0]}), inputs="i")}, stamp(1))
    found = tables.commit(TABLE, {"b": Content(rows=pa.table({"key": [2]}), inputs="i")}, stamp(2))
    assert found.schema.names[-2:] == ["key", "km"]
    rows = DuckDB().query("FROM rows ORDER BY key", {"rows": Files(paths=found.paths(), schema=found.schema)}).table()
    assert rows["km"].to_pylist() == [2.0, None]
    only = Files(paths=found.paths(["b"]), schema=found.schema)
    assert DuckDB().query("SELECT km FROM rows", {"rows": only}).table()["km"].to_pylist() == [None]


def test_partitions_of_one_commit_have_the_same_columns(tables):
    parts = {**of(key=[1]), "b": Content(rows=pa.table({"key": ["x"]}), inputs="i")}
    with pytest.raises(StoreError, match=r"'a' and 'b' of one commit have different columns: key int64, key string"):
        tables.commit(TABLE, parts, stamp())


@pytest.mark.parametrize(
    ("column", "cure"),
    [
        (pa.array([1], pa.uint8()), "int64"),
        (pa.array([2**63], pa.uint64()), "decimal128"),
        (pa.array([1.0], pa.float16()), "float32"),
        (pa.array([1], pa.time32("s")), "microseconds since midnight"),
        (pa.array([1], pa.time64("us")), "microseconds since midnight"),
        (pa.array([1], pa.duration("us")), "int64"),
        (pa.array([1], pa.timestamp("ns", "UTC")), "timestamp"),
        (pa.array([1], pa.timestamp("us")), "say its zone"),
        (pa.array([1], pa.timestamp("us", "Europe/Berlin")), "timestamp"),
        (pa.array([1], pa.date64()), "date32"),
        (pa.array([[1, 2]], pa.list_(pa.int64(), 2)), "list of int64"),
        (pa.array([b"ab"], pa.binary(2)), "binary"),
        (pa.array(["x"]).dictionary_encode(), "decode it to string"),
        (pa.array([None], pa.null()), "no row has a value"),
        (pa.array([Decimal(1)], pa.decimal256(50, 2)), "decimal128"),
        (pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())), "list or struct"),
        (pa.array([[1]], pa.list_(pa.uint8())), "int64"),
        (pa.array([{"x": 1}], pa.struct([("x", pa.uint8())])), "int64"),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_a_type_that_would_change_is_refused(tables, column, cure):
    with pytest.raises(StoreError, match=rf"'n.*{cure}"):
        tables.commit(TABLE, of(n=column), stamp())
    assert tables.snapshot(TABLE) is None


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, None], pa.int8()),
        pa.array([True, None]),
        pa.array([float("nan"), None], pa.float32()),
        pa.array(["x", None], pa.large_string()),
        pa.array(["x", None], pa.string_view()),
        pa.array([b"x", None]),
        pa.array([Decimal("1.50"), None], pa.decimal128(38, 2)),
        pa.array([datetime(2024, 1, 1, tzinfo=UTC), None], pa.timestamp("us", "UTC")),
        pa.array([1, None], pa.int32()).cast(pa.date32()),
        pa.array([["x", None], None], pa.list_(pa.large_string())),
        pa.array([{"x": 1}, None]),
    ],
    ids=lambda column: str(column.type),
)
def test_other_types_come_back_as_they_went_in(tables, column):
    found = tables.commit(TABLE, of(n=column), stamp())
    assert found.schema.field("n").type == read(found, "a").schema.field("n").type
    assert content_hash(read(found, "a")) == found.partitions["a"].content == content_hash(pa.table({"n": column}))
