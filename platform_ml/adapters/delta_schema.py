"""What may enter a Delta table: names and types that come back as they went in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from platform_ml.engine.content import canonical
from platform_ml.engine.ports import CREATED, PARTITION, SEQUENCE
from platform_ml.spec.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from platform_ml.engine.ports import Content

PLATFORM = (PARTITION, CREATED, SEQUENCE)
KEY = re.compile(r"[A-Za-z0-9._:-]{1,64}")
PIECE = re.compile(r"[a-z][a-z0-9_]*")
UNFIT = re.compile(r"[ ,;{}()\n\t=]")
"""What Delta forbids in the name of a column."""


def check_table(table: str) -> None:
    """Refuse a table name that is not one or more plain words between slashes."""
    if not all(PIECE.fullmatch(piece) for piece in table.split("/")):
        raise StoreError(f"Table {table!r}: a name is words like 'retail/customer_behaviour' ([a-z][a-z0-9_]*).")


def check_keys(table: str, keys: Mapping[str, Content]) -> None:
    """Refuse a partition key that would need escaping in a predicate."""
    for key in keys:
        if not KEY.fullmatch(key):
            raise StoreError(
                f"{table}: the partition key {key!r} is refused. "
                "Use 1 to 64 letters, digits, dots, colons, hyphens and underscores."
            )


def entering(table: str, partitions: Mapping[str, Content]) -> pa.Schema:
    """The one schema of all these rows, without the platform's columns, as Delta will give it back.

    Raises:
        StoreError: a column is named or typed as Delta cannot keep it, or the partitions differ.
    """
    import pyarrow as pa

    schemas: dict[str, pa.Schema] = {}
    for key, content in partitions.items():
        given = content.rows.schema
        schemas[key] = pa.schema([pa.field(field.name, canonical(field.type)) for field in given])
    first, schema = next(iter(schemas.items()))
    for key, other in schemas.items():
        if not other.equals(schema):
            raise StoreError(
                f"{table}: partitions {first!r} and {key!r} of one commit have different columns: "
                f"{_difference(schema, other)}. Compute them with the same query."
            )
    for field in partitions[first].rows.schema:
        _check_name(table, field.name, schema.names)
        _check_type(table, field.name, field.type)
    if not schema.names:
        raise StoreError(f"{table}: the rows have no columns. Write at least the key.")
    return schema


def evolved(table: str, existing: pa.Schema, given: pa.Schema) -> pa.Schema:
    """The table's schema after rows of `given` were added: new columns come last, and no type may change.

    A column that is no longer given stays for the rows that have it; new rows have null there.
    """
    import pyarrow as pa

    cure = "Give the column another name, or the declaration, so that a new table is written."
    known = {field.name: canonical(field.type) for field in existing}
    for field in given:
        if (before := known.get(field.name, field.type)) != field.type:
            raise StoreError(f"{table}: column {field.name!r} is {before} in the table and {field.type} here. {cure}")
    return pa.schema(
        [pa.field(field.name, canonical(field.type)) for field in existing] + [f for f in given if f.name not in known]
    )


def with_platform(schema: pa.Schema) -> pa.Schema:
    """The columns of a new table."""
    import pyarrow as pa

    platform = [(PARTITION, pa.string()), (CREATED, pa.timestamp("us", "UTC")), (SEQUENCE, pa.int64())]
    return pa.schema([*(pa.field(name, kind) for name, kind in platform), *schema])


def _difference(one: pa.Schema, other: pa.Schema) -> str:
    fields = sorted({f"{f.name} {f.type}" for f in one} ^ {f"{f.name} {f.type}" for f in other})
    return ", ".join(fields) or "their order"


def _check_name(table: str, name: str, names: list[str]) -> None:
    if name in PLATFORM:
        raise StoreError(f"{table}: column {name!r} is written by the platform. Rename or drop it.")
    if not name or UNFIT.search(name):
        raise StoreError(f"{table}: column {name!r} is empty or holds one of ' ,;{{}}()=' or a break. Rename it.")
    if [other.casefold() for other in names].count(name.casefold()) > 1:
        raise StoreError(f"{table}: column {name!r} occurs twice (upper and lower case are the same). Rename one.")


def _check_type(table: str, name: str, kind: pa.DataType) -> None:
    from pyarrow import types

    if types.is_struct(kind):
        for child in kind:
            _check_type(table, f"{name}.{child.name}", child.type)
    elif types.is_list(kind) or types.is_large_list(kind):
        _check_type(table, f"{name}[]", kind.value_type)
    elif cure := _cure(kind):
        raise StoreError(f"{table}: column {name!r} has the type {kind}, which the table cannot keep: {cure}.")


def _cure(kind: pa.DataType) -> str:
    """What to do with a type that Delta refuses or silently changes; nothing for one that it keeps."""
    from pyarrow import types

    kept = (
        *(types.is_boolean, types.is_signed_integer, types.is_float32, types.is_float64, types.is_date32),
        *(types.is_decimal128, types.is_string, types.is_large_string, types.is_string_view),
        *(types.is_binary, types.is_large_binary, types.is_binary_view),
    )
    if any(keeps(kind) for keeps in kept):
        return ""
    if types.is_timestamp(kind):
        naive = "say its zone, then " if kind.tz is None else ""
        return "" if (kind.unit, kind.tz) == ("us", "UTC") else f"{naive}cast it to timestamp('us', 'UTC')"
    cures = (
        (types.is_unsigned_integer, "cast it to int64, or to decimal128(20, 0) where it exceeds 2^63"),
        (types.is_float16, "cast it to float32"),
        (types.is_date64, "cast it to date32"),
        (types.is_decimal, "cast it to decimal128 of at most 38 digits"),
        (types.is_time, "store microseconds since midnight as int64"),
        (types.is_duration, "store microseconds as int64"),
        (types.is_fixed_size_list, f"cast it to a list of {getattr(kind, 'value_type', '')}"),
        (types.is_fixed_size_binary, "cast it to binary"),
        (types.is_dictionary, f"decode it to {getattr(kind, 'value_type', '')}"),
        (types.is_null, "no row has a value; cast it to the type that is meant"),
    )
    return next((cure for matches, cure in cures if matches(kind)), "cast it to a number, text, time, list or struct")
