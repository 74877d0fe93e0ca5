"""HDF5."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from platform_ml.exports.plain import array, is_text, nulls, numbers
from platform_ml.exports.schema import BATCH, as_json, bare, checked, chosen, from_json
from platform_ml.spec.errors import RowsError, StoreError
from platform_ml.spec.libraries import library

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

SCHEMA = "schema"


@dataclass(frozen=True, kw_only=True)
class Hdf5:
    """One HDF5 file: `columns/<name>` and, where a column may be null, `nulls/<name>`; chunked along the rows.

    Text is variable-length UTF-8. Decimals are whole numbers to be divided by 10^scale (text beyond 18 digits),
    moments microseconds and dates days since 1970 in UTC. Values beneath a null are zero or "". The dataset `schema`
    says the types as JSON, so the file stands alone. Needs h5py: `pip install 'platform_ml[hdf5]'`.
    """

    name: ClassVar[str] = "hdf5"
    suffix: ClassVar[str] = ".h5"
    loses: ClassVar[Mapping[str, str]] = {}

    def write(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema, path: Path) -> int:
        """All datasets grow with each batch; text with a NUL character is refused: HDF5 ends text there."""
        h5py = library("h5py", extra="hdf5", user="HDF5")
        rows, plain = 0, bare(schema)
        with h5py.File(path, "w", libver="latest") as file:
            file[SCHEMA] = json.dumps(as_json(plain), ensure_ascii=False)
            for field in plain:
                dtype = h5py.string_dtype() if is_text(field.type) else _stored(_none(field.type)).dtype
                file.create_dataset(_values(field.name), (0,), dtype, maxshape=(None,), chunks=(BATCH,))
                if field.nullable:
                    file.create_dataset(_nulls(field.name), (0,), "?", maxshape=(None,), chunks=(BATCH,))
            for batch in checked(batches, plain):
                for field, column in zip(plain, batch.columns, strict=True):
                    cells = _text(field.name, column) if is_text(field.type) else _stored(column)
                    _append(file[_values(field.name)], rows, cells)
                    if field.nullable:
                        _append(file[_nulls(field.name)], rows, nulls(column))
                rows += batch.num_rows
        return rows

    def read(self, path: Path, *, first: int = 0, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Slices of the datasets."""
        import pyarrow as pa

        h5py = library("h5py", extra="hdf5", user="HDF5")
        try:
            with h5py.File(path, "r") as file:
                wanted = chosen(from_json(json.loads(file[SCHEMA][()])), columns)
                rows = len(file[_values(wanted.names[0])])
                for start in range(first, rows, BATCH):
                    stop = min(start + BATCH, rows)
                    cells = [_cells(file, field, start, stop) for field in wanted]
                    yield pa.RecordBatch.from_arrays(cells, schema=wanted)
        except (OSError, KeyError, ValueError) as error:
            raise StoreError(f"{path} is no whole HDF5 export ({error}). Export it again.") from error

    def blocks(self, path: Path, rows: int) -> list[int]:
        """A chunk each."""
        return [min(BATCH, rows - start) for start in range(0, rows, BATCH)]


def _values(name: str) -> str:
    return f"columns/{quote(name, safe='').replace('.', '%2E')}"


def _nulls(name: str) -> str:
    return f"nulls/{quote(name, safe='').replace('.', '%2E')}"


def _none(kind: pa.DataType) -> pa.Array:
    import pyarrow as pa

    return pa.array([], kind)


def _stored(column: pa.Array) -> Any:
    values = numbers(column)
    return values.view("int64") if values.dtype.kind == "M" else values


def _text(name: str, column: pa.Array) -> Any:
    import numpy as np

    words = [word or "" for word in column.cast("string").to_pylist()]
    if any("\0" in word for word in words):
        raise RowsError(f"Column {name!r} has text with a NUL character, where HDF5 ends text. Use another format.")
    return np.array(words, dtype=object)


def _append(dataset: Any, rows: int, cells: Any) -> None:
    dataset.resize(rows + len(cells), axis=0)
    dataset[rows:] = cells


def _cells(file: Any, field: pa.Field, start: int, stop: int) -> pa.Array:
    values = file[_values(field.name)]
    missing = file[_nulls(field.name)][start:stop] if field.nullable else None
    return array(values.asstr()[start:stop] if is_text(field.type) else values[start:stop], missing, field.type)
