"""Deliveries of the orders of one day, and of a source with a column of every type."""

from dataclasses import replace
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq

from platform_ml.engine.delivery import read
from platform_ml.engine.ports import WHOLE
from platform_ml.engine.quarantine import rejected_table
from platform_ml.formats import Parquet
from platform_ml.spec.schema import Boolean, Column, Double, Integer, Text, Timestamp
from platform_ml.spec.schema import Decimal as Exact
from platform_ml.spec.source import Source
from platform_ml_tests.engine.shop import (
    ORDER,
    naive,
    orders,
    write,
)

KEY = "2024-02-01"
NOON = naive(2024, 2, 1, 12)
forgiving = replace(orders, max_rejected_share=0.9)
THINGS = Source(
    name="things",
    description="A column of every type.",
    format=Parquet(),
    columns=(
        Column("number", Integer()),
        Column("price", Exact(7, 2), nullable=True, minimum=0, maximum=1_000),
        Column("weight", Double(), nullable=True, minimum=-1.5),
        Column("pieces", Integer(), nullable=True, maximum=10),
        Column("kind", Text(), nullable=True, allowed=("it's", "b")),
        Column("sold", Boolean(), nullable=True),
        Column("made_at", Timestamp(), nullable=True),
    ),
    key=("number",),
    max_rejected_share=1.0,
)
GOOD = {"number": 0, "price": Decimal(1), "weight": 1.0, "pieces": 1, "kind": "b", "sold": True, "made_at": NOON}


def things(*rows, **types):
    """One row each, with this instead of something good."""
    kinds = {
        "number": pa.int64(),
        "price": pa.decimal128(7, 2),
        "weight": pa.float64(),
        "pieces": pa.int64(),
        "kind": pa.string(),
        "sold": pa.bool_(),
        "made_at": pa.timestamp("us"),
    } | types
    plain = [GOOD | {"number": n} | row for n, row in enumerate(rows)]
    return pa.table({name: pa.array([row[name] for row in plain], kind) for name, kind in kinds.items()})


def delivered(work, rows, source=THINGS):
    write(work, source, WHOLE, rows)
    found = read(source, WHOLE, work=work)
    return found.accepted.to_pylist(), [row["reasons"] for row in found.rejected.to_pylist()]


def day_of(work, *rows, key=KEY, **changes):
    """A delivery of orders: (order_id, customer_id, amount, time)."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * 4
    kinds = {field.name: field.type for field in ORDER} | changes
    made = {name: pa.array(values, kind) for (name, kind), values in zip(kinds.items(), columns, strict=True)}
    return write(work, orders, key, pa.table(made))


def good(n=100):
    return [(number, number % 7, Decimal("1.50"), NOON) for number in range(n)]


def quarantined(work, key=KEY, source=orders):
    snapshot = work.platform.tables.snapshot(rejected_table(source, work))
    if snapshot is None or key not in snapshot.partitions:
        return None
    files = [pq.ParquetFile(path).read() for path in snapshot.paths([key])]
    return [row for part in files for row in part.to_pylist()]
