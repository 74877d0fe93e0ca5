"""What formats share: the types that they hold, and `schema.json` for files that cannot say their types themselves."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from platform_ml.spec.errors import RowsError, StoreError
from platform_ml.spec.export import ROLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

SIDECAR = "schema.json"
BATCH = 4_096
"""Rows that a reader makes at once where the file does not say."""
MOMENT = "timestamp[us, tz=UTC]"
SIMPLE = (
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"),
    *("float", "double", "bool", "string", "date32[day]", MOMENT),
)
LIST = re.compile(r"list<(\w+): double>")
"""What Parquet, Arrow and JSON lines hold beside."""
DECIMAL = re.compile(r"decimal128\((\d+), (-?\d+)\)")
YEARS = (-62_135_596_800_000_000, 253_402_300_799_999_999)
"""Microseconds from 1970 to the first and the last moment of the years 1 to 9999."""


def bare(schema: pa.Schema, *, lists: bool = False) -> pa.Schema:
    """The schema with no other metadata than roles; `RowsError` for one that the format is not asked to hold.

    `lists` says whether it holds lists of doubles.
    """
    import pyarrow as pa

    if not schema.names:
        raise RowsError("There are no columns: nothing to export.")
    twice = [name for name, times in Counter(schema.names).items() if times > 1]
    if twice:
        raise RowsError(f"There are several columns {twice[0]!r}. Rename all but one.")
    for field in schema:
        if not field.name:
            raise RowsError("A column has no name. Give it one.")
        if lists and LIST.fullmatch(str(field.type)):
            continue
        if LIST.fullmatch(str(field.type)):
            raise RowsError(
                f"Column {field.name!r} is {field.type}, and this format holds no lists. Use parquet, arrow, "
                "arrow-stream or jsonl, or leave the column out of the view."
            )
        if str(field.type) not in SIMPLE and not DECIMAL.fullmatch(str(field.type)):
            raise RowsError(
                f"Column {field.name!r} is {field.type}. Exports hold {', '.join(SIMPLE)} and decimal128: cast it."
            )
    return pa.schema(
        [
            pa.field(
                field.name,
                field.type,
                nullable=field.nullable,
                metadata={ROLE: field.metadata[ROLE]} if field.metadata and ROLE in field.metadata else None,
            )
            for field in schema
        ]
    )


def checked(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The batches in this very schema, one at a time; `RowsError` for a batch of another one or a forbidden null."""
    import pyarrow as pa

    for batch in batches:
        if batch.schema.names != schema.names or batch.schema.types != schema.types:
            raise RowsError(f"A batch has other columns than the first: {batch.schema} instead of {schema}.")
        for field, column in zip(schema, batch.columns, strict=True):
            if not field.nullable and column.null_count:
                raise RowsError(f"Column {field.name!r} may not be null, but {column.null_count} of its values are.")
        yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)
        del batch  # the next one is made before a loop variable lets go of this one


def check_years(batch: pa.RecordBatch) -> None:
    """Refuse moments that a calendar date of four digits cannot write."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for field, column in zip(batch.schema, batch.columns, strict=True):
        if str(field.type) == MOMENT:
            span = pc.min_max(column.view(pa.int64())).as_py()
            if span["min"] is not None and (span["min"] < YEARS[0] or span["max"] > YEARS[1]):
                raise RowsError(f"Column {field.name!r} has a moment outside the years 1 to 9999. Mend it.")


def as_json(schema: pa.Schema) -> list[dict[str, Any]]:
    """One object per column: name, type, nullable, and its role if it has one."""
    return [
        {"name": field.name, "type": str(field.type), "nullable": field.nullable}
        | ({"role": field.metadata[ROLE].decode()} if field.metadata else {})
        for field in bare(schema, lists=True)
    ]


def from_json(columns: Sequence[dict[str, Any]]) -> pa.Schema:
    """The schema that `as_json` described."""
    import pyarrow as pa

    return pa.schema(
        [
            pa.field(
                column["name"],
                _type(column["type"]),
                nullable=column["nullable"],
                metadata={ROLE: column["role"].encode()} if "role" in column else None,
            )
            for column in columns
        ]
    )


def save_sidecar(path: Path, schema: pa.Schema) -> None:
    """Write `schema.json` beside `path`: one for all files of a folder, which therefore are alike."""
    file = path.with_name(SIDECAR)
    text = json.dumps({"columns": as_json(schema)}, indent=1, ensure_ascii=False) + "\n"
    if file.exists() and file.read_text(encoding="utf-8") != text:
        raise StoreError(f"{file} describes other columns. Write these rows into another folder.")
    file.write_text(text, encoding="utf-8")


def load_sidecar(path: Path) -> pa.Schema:
    """The schema that lies beside `path`."""
    file = path.with_name(SIDECAR)
    try:
        return from_json(json.loads(file.read_text(encoding="utf-8"))["columns"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{file} cannot be read ({error!r}). {path.name} cannot be read without it.") from error


def chosen(schema: pa.Schema, columns: Sequence[str] | None) -> pa.Schema:
    """The schema of these columns, in this order."""
    import pyarrow as pa

    if columns is None:
        return schema
    missing = [name for name in columns if name not in schema.names]
    if missing:
        raise RowsError(f"There is no column {missing[0]!r}. There are {', '.join(schema.names)}.")
    return pa.schema([schema.field(name) for name in columns])


def after(batches: Iterable[pa.RecordBatch], first: int) -> Iterator[pa.RecordBatch]:
    """The rows from number `first` on, for files that have to be read from their beginning."""
    for batch in batches:
        if first < batch.num_rows:
            yield batch.slice(first) if first else batch
        first = max(0, first - batch.num_rows)


def _type(text: str) -> pa.DataType:
    import pyarrow as pa

    if found := DECIMAL.fullmatch(text):
        return pa.decimal128(int(found[1]), int(found[2]))
    if text == MOMENT:
        return pa.timestamp("us", tz="UTC")
    if found := LIST.fullmatch(text):
        return pa.list_(pa.field(found[1], pa.float64()))
    if text not in SIMPLE:
        raise ValueError(f"{text!r} is no type of an export")
    return pa.type_for_alias(text.removesuffix("[day]"))
