"""Small declared groups to join with, and their rows."""

import pyarrow as pa

from platform_ml.engine.point_in_time import Side, join
from platform_ml.features import Field
from platform_ml.formats import Parquet
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.history import History
from platform_ml.spec.schema import Boolean, Column, Double, Integer, Text, Timestamp
from platform_ml.spec.source import Source

TIME = pa.timestamp("us", tz="UTC")
COLUMNS = {
    "id": Integer(),
    "at": Timestamp(),
    "x": Double(),
    "n": Integer(),
    "name": Text(),
    "written_at": Timestamp(),
    "seq": Integer(),
    "over_at": Timestamp(),
    "gone": Boolean(),
}
TYPES = {
    "id": pa.int64(),
    "event_time": TIME,
    "x": pa.float64(),
    "n": pa.int64(),
    "name": pa.string(),
    "written_at": TIME,
    "seq": pa.int64(),
    "over_at": TIME,
    "gone": pa.bool_(),
}


def group(*features, history=None, keys=("id",), types=None, name="facts"):
    """Events without a cadence, each from `at` on."""
    source = Source(
        name="facts_source",
        description="Invented.",
        format=Parquet(),
        columns=tuple(Column(c, k, nullable=c != "at") for c, k in (COLUMNS | (types or {})).items()),
        key=("at",),
    )
    return FeatureGroup(
        name=name,
        description="Invented.",
        source=source,
        entity=tuple(keys),
        features=features or (Field(of="x"),),
        history=history or History(event_time="at"),
    )


def reference():
    """Rows without time."""
    source = Source(
        name="register",
        description="Invented.",
        format=Parquet(),
        columns=(Column("id", Integer()), Column("x", Double(), nullable=True)),
        key=("id",),
    )
    return FeatureGroup(name="kinds", description="Invented.", source=source, entity="id", features=(Field(of="x"),))


def rows(**columns):
    """A table; columns that are lists get their usual types, and those that are not given are null."""
    length = max((len(column) for column in columns.values()), default=0)
    given = {name: column if name in columns else [None] * length for name in TYPES for column in [columns.get(name)]}
    given |= {name: column for name, column in columns.items() if name not in TYPES}
    return pa.table({name: as_array(column, TYPES.get(name)) for name, column in given.items()})


def spine(**columns):
    """Label rows."""
    return pa.table({name: as_array(column, TYPES.get(name)) for name, column in columns.items()})


def as_array(column, kind):
    return pa.array(column, kind) if isinstance(column, list) else column


def ask(label_rows, there, of=None, *, knowledge=None, threads=1, role=None):
    """The answers of one group, by column."""
    of = of or group()
    chosen = of.select(*(feature.name for feature in of.features)).role(**(role or {}))
    found = join(label_rows, [Side(selection=chosen, rows=there)], knowledge=knowledge, threads=threads)
    assert found.schema.names[: label_rows.num_columns] == label_rows.schema.names
    assert found.num_rows == label_rows.num_rows
    return found.select(list(chosen.columns)).to_pydict()
