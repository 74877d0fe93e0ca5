"""Judging only doubtful rows gives what judging every row gives, whatever is delivered."""

import random
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.engine.content import content_hash
from platform_ml.engine.judgement import ROW_NUMBER, judged_sql, repeats, triaged_sql
from platform_ml.engine.triage import judge
from platform_ml.formats import CSV, Parquet
from platform_ml.spec.schema import Boolean, Column, Decimal, Double, Integer, Text, Timestamp
from platform_ml.spec.source import Source
from platform_ml.spec.sql import literal
from platform_ml.spec.window import Daily

DAY = (datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 2, 1, 23, 59, 59, 999999, tzinfo=UTC))
COMPUTE = DuckDB(threads=2)
KEY = Column("key", Text())
SIGNS = "0123456789+-.,_eExXinfINFaTZ: \t\n\0/'"
SEEDS = {
    Integer: ["0", "-7", "+5", "007", "5.", "5.0", "5.01", ".0", ".", "1_000", "0x1f", "1e3", "9223372036854775807"],
    Decimal: ["0.10", "-7", "+5.5", "1.005", "1.0050", ".50", ".", "1_0.0", "1e2", "99999.99", "100000", "-0.004"],
    Double: ["0.1", "-1e5", "nan", "-inf", "Infinity", "1e400", "1_0", ".5", "5.", "1e-400", "0x1p3", "1d"],
    Boolean: ["true", "FALSE", "t", "f", "1", "0", "yes", "no", "y", "on", "True ", "2"],
    Text: ["a", "b", "", "\0", "ä", "a b", "'", "c\0d"],
    Timestamp: [
        *("2024-02-01 12:00:00", "2024-02-01T12:00:00Z", "2024-02-01T12:00:00.123456789", "2024-02-01", "epoch"),
        *("2024-02-01 12:00", "2024-02-01 12:00:00+02", "2024-02-01T23:59:59-01:30", "infinity", "-infinity"),
        *("2024-02-01 24:00:00", "2024-02-30 12:00:00", "12024-02-01 12:00:00", "0044-03-15 (BC) 12:00:00", "now"),
        *("2024-2-1 12:00:00", "2024-02-01 12:00:00 UTC", "2024-02-01 12:00:00 Europe/Berlin", "0000-01-01 00:00:00"),
        *("0001-01-01 00:00:00", "9999-12-31 23:59:59.999999", "2024-02-01 12:00:60", "2024-02-01 12:00:00.1 Z"),
    ],
}
TYPES = [
    *(
        Column("x", Integer()),
        Column("x", Integer(), minimum=0, maximum=1_000.5),
        Column("x", Integer(), nullable=True),
    ),
    *(Column("x", Decimal(7, 2)), Column("x", Decimal(7, 2), minimum=0.005, nullable=True), Column("x", Decimal(3, 0))),
    *(Column("x", Decimal(4, 4)), Column("x", Double()), Column("x", Double(), minimum=-1, maximum=1, nullable=True)),
    *(Column("x", Boolean()), Column("x", Boolean(), nullable=True), Column("x", Text()), Column("x", Timestamp())),
    *(Column("x", Text(), allowed=("a", "b"), nullable=True), Column("x", Timestamp(), nullable=True)),
]


def spelled(kind, count, seed):
    """Values as they may be written, and what a few wrong keys make of them."""
    draw = random.Random(seed)
    for n in range(count):
        text = SEEDS[kind][n % len(SEEDS[kind])]
        for _ in range(draw.choice((0, 1, 1, 2))):
            at = draw.randrange(len(text) + 1)
            end = min(len(text), at + draw.randrange(2))
            text = text[:at] + draw.choice(["", draw.choice(SIGNS)]) + text[end:]
        yield None if n % 50 == 49 else text


def agree(source, rows, folder, span=None):
    """Judge both ways; what `judge` gives."""
    file = folder / "rows.parquet"
    pq.write_table(rows.append_column(ROW_NUMBER, pa.array(range(rows.num_rows), pa.int64())), file)
    raw = f"(FROM read_parquet({literal(str(file))}))"
    delivered = {
        row["column_name"]: row["column_type"] for row in COMPUTE.query(f"DESCRIBE FROM {raw}", {}).table().to_pylist()
    }
    whole = COMPUTE.query(judged_sql(source, raw, delivered=delivered, span=span), {}).table()
    bad = pc.greater(pc.list_value_length(whole["_reasons"]), 0)
    triaged = COMPUTE.query(triaged_sql(source, raw, delivered=delivered, span=span), {}).table()
    judged = judge(source, triaged, raw, delivered=delivered, span=span, compute=COMPUTE)
    good = whole.filter(pc.invert(bad)).sort_by([(name, "ascending") for name in source.key])
    assert judged.wrong.to_pylist() == whole.filter(bad).select(["_row", "_reasons", "_record"]).to_pylist()
    assert judged.good.schema == good.select([*source.types, "_row"]).schema
    assert content_hash(judged.good) == content_hash(good.select([*source.types, "_row"]))
    return judged


def of(*columns, **others):
    return Source(name="things", description="Things.", format=CSV(), columns=(KEY, *columns), key=("key",), **others)


@pytest.mark.parametrize("column", TYPES, ids=str)
def test_text(column, tmp_path):
    texts = list(spelled(type(column.type), 4_000, 1))
    keys = [str(n) for n in range(len(texts))]
    judged = agree(of(column), pa.table({"key": keys, "x": pa.array(texts, pa.string())}), tmp_path)
    assert 0 < judged.good.num_rows < len(texts)
    assert judged.good.num_rows + judged.wrong.num_rows == len(texts)


def test_times_outside_of_the_partition(tmp_path):
    source = of(Column("x", Timestamp()), event_time="x", cadence=Daily(first=DAY[0].date()))
    texts = list(spelled(Timestamp, 3_000, 2))
    rows = pa.table({"key": [str(n) for n in range(len(texts))], "x": pa.array(texts, pa.string())})
    judged = agree(source, rows, tmp_path, span=DAY)
    assert ["x is outside of the partition"] in judged.wrong["_reasons"].to_pylist()


UNITS = ("s", "ms", "us", "ns")
NUMBERS = [0, 1, -1, 7, 100, 1_000, 99_999, 100_000]
FRACTIONS = [0.0, -0.0, 0.1, 0.125, 1.005, -1e-11, 1e-11, 99_999.99, 1e300, float("nan"), float("inf"), 0.005, 5.0]
DELIVERED = [
    *(pa.array(NUMBERS[:5], kind) for kind in (pa.int8(), pa.int16(), pa.int32(), pa.decimal128(9, 3))),
    *(pa.array(NUMBERS, kind) for kind in (pa.int64(), pa.decimal128(9, 2), pa.decimal128(38, 10))),
    *(pa.array([*NUMBERS[:2], 2**63], kind) for kind in (pa.uint64(), pa.decimal128(38, 0))),
    *(pa.array(FRACTIONS, kind) for kind in (pa.float32(), pa.float64())),
]


@pytest.mark.parametrize("column", [one for one in TYPES if isinstance(one.type, Integer | Decimal | Double)], ids=str)
@pytest.mark.parametrize("values", DELIVERED, ids=lambda one: str(one.type))
def test_numbers_of_another_type(column, values, tmp_path):
    values = pa.concat_arrays([values, pa.array([None], values.type)])
    rows = pa.table({"key": [str(n) for n in range(len(values))], "x": values})
    agree(replace(of(column), format=Parquet()), rows, tmp_path)


@pytest.mark.parametrize(
    "kind", [pa.timestamp(unit, zone) for unit in ("s", "ms", "us", "ns") for zone in (None, "UTC")]
)
@pytest.mark.parametrize("column", [one for one in TYPES if isinstance(one.type, Timestamp)], ids=str)
def test_times_of_another_type(column, kind, tmp_path):
    seconds = [0, 1_706_788_800, -1_000_000_000, None, *([] if kind.unit == "ns" else [-62_135_596_800, 2**36])]
    values = pa.array(seconds, pa.timestamp("s")).cast(pa.timestamp(kind.unit)).cast(kind)
    rows = pa.table({"key": [str(n) for n in range(len(seconds))], "x": values})
    agree(replace(of(column), format=Parquet()), rows, tmp_path)


KEPT = [("first", None), ("last", None), ("greatest", "x"), ("least", "x")]


@pytest.mark.parametrize(("keep", "by"), KEPT)
@pytest.mark.parametrize("form", [CSV(), Parquet()], ids=["csv", "parquet"])
def test_repeated_keys_among_bad_rows(keep, by, form, tmp_path):
    source = replace(of(Column("x", Integer()), Column("y", Text(), nullable=True)), format=form, keep=keep, keep_by=by)
    draw = random.Random(3)
    numbers = [draw.choice([1, 2, 3, None]) for _ in range(500)]
    x = pa.array(numbers, pa.int64()) if form == Parquet() else pa.array([n and str(n) for n in numbers], pa.string())
    keys = [draw.choice(["a", "b", "c", str(n)]) for n in range(500)]
    judged = agree(source, pa.table({"key": keys, "x": x, "y": [draw.choice("ab") for _ in keys]}), tmp_path)
    again, good = judged.again.to_pylist(), judged.good.drop_columns(["_row"]).to_pylist()
    assert len(again) == judged.wrong["_reasons"].to_pylist().count([repeats(source)]) > 0
    assert 0 < sum(row in good for row in again) < len(again)


def test_names_that_the_steps_use_themselves(tmp_path):
    names = ("value_0", "value_1", "_value_1", "_doubt", "_row", "rows", "reasons")
    source = of(*(Column(name, Integer()) for name in ("value_1", "reasons", "rows")))
    rows = pa.table({"key": ["b", "a", "c"]} | {name: ["1", "2", "x"] for name in names})
    assert agree(source, rows, tmp_path).good["key"].to_pylist() == ["a", "b"]
