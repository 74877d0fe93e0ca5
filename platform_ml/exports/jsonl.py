"""JSON lines."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.exports.schema import (
    BATCH,
    MOMENT,
    after,
    bare,
    check_years,
    checked,
    chosen,
    load_sidecar,
    save_sidecar,
)
from platform_ml.spec.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

SPELLED = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
"""JSON has no such numbers: they are written as text in a column of numbers."""


@dataclass(frozen=True, kw_only=True)
class Jsonl:
    """One JSON object a line, UTF-8; the types are in `schema.json`. Lossless.

    Decimals are text ("12.30"), moments are ISO 8601 in UTC ("2017-12-02T00:00:00.000000Z"), NaN and the infinities
    are the texts "NaN", "Infinity" and "-Infinity". Whole numbers are written in full: a reader that keeps all
    numbers as doubles (JavaScript, jq) changes those beyond 2^53, this one does not.
    """

    name: ClassVar[str] = "jsonl"
    suffix: ClassVar[str] = ".jsonl"
    loses: ClassVar[Mapping[str, str]] = {}

    def write(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema, path: Path) -> int:
        """Every object has every key, null or not."""
        rows, plain = 0, bare(schema, lists=True)
        save_sidecar(path, plain)
        encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
        with path.open("w", encoding="utf-8", newline="\n") as file:
            for batch in checked(batches, plain):
                check_years(batch)
                columns = [_plain(column) for column in batch.columns]
                for row in zip(*columns, strict=True):
                    file.write(encode(dict(zip(plain.names, row, strict=True))) + "\n")
                rows += batch.num_rows
        return rows

    def read(self, path: Path, *, first: int = 0, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Some thousand lines at a time."""
        yield from after(_batches(path, chosen(load_sidecar(path), columns)), first)

    def blocks(self, path: Path, rows: int) -> list[int]:
        """One: where a line begins is known only from the beginning."""
        return [rows]


def _batches(path: Path, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    with path.open("rb") as file:
        while lines := list(islice(file, BATCH)):
            try:
                rows = [json.loads(line) for line in lines]
                cells = [_typed([row[field.name] for row in rows], field.type) for field in schema]
            except (ValueError, KeyError, TypeError, OverflowError, pa.ArrowException) as error:
                raise StoreError(
                    f"{path} does not hold the rows of its schema.json ({error!r}). Export it again."
                ) from error
            yield pa.RecordBatch.from_arrays(cells, schema=schema)


def _plain(column: pa.Array) -> list[Any]:
    import pyarrow.compute as pc
    from pyarrow import types

    kind = column.type
    if str(kind) == MOMENT:
        return list(pc.replace_substring(column.cast("string"), " ", "T", max_replacements=1).to_pylist())
    if types.is_decimal(kind) or types.is_date(kind):
        return list(column.cast("string").to_pylist())
    values = column.to_pylist()
    if types.is_floating(kind):
        return [value if value is None or math.isfinite(value) else _spelled(value) for value in values]
    return list(values)


def _spelled(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _typed(values: list[Any], kind: pa.DataType) -> pa.Array:
    import pyarrow as pa
    from pyarrow import types

    if str(kind) == MOMENT or types.is_decimal(kind) or types.is_date(kind):
        return pa.array(values, pa.string()).cast(kind)
    if types.is_floating(kind):
        values = [SPELLED[value] if isinstance(value, str) else value for value in values]
    if types.is_integer(kind) and any(type(value) not in (int, type(None)) for value in values):
        raise ValueError("there is something else in a column of whole numbers")  # Arrow would cut off fractions
    return pa.array(values, kind)
