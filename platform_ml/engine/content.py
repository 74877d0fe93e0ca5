"""One number for the meaning of rows, whatever buffers and files happen to carry them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform_ml.spec.errors import StoreError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Numbers = npt.NDArray[np.number[Any]]

CHUNK = 1 << 20
"""Bytes that `file_sha256` reads at once."""


def content_hash(rows: pa.Table) -> str:
    """The sha256 over names, types and values of the rows, in the order of columns and rows.

    Chunks, slices, dictionaries, the width of string offsets, schema metadata and whatever lies beneath a null do not
    count; every NaN is the same NaN, and -0.0 equals 0.0.

    Raises:
        StoreError: a column's type has no canonical bytes.
    """
    digest = hashlib.sha256()
    _text(digest, f"{rows.num_rows} {rows.num_columns}")
    for name, column in zip(rows.column_names, rows.columns, strict=True):
        plain = canonical(column.type)
        _text(digest, name)
        _text(digest, str(plain))
        try:
            _feed(digest, _whole(column, plain))
        except NotImplementedError as error:
            msg = f"column {name!r} of type {column.type} cannot be hashed: cast it to {error}"
            raise StoreError(msg) from None
    return digest.hexdigest()


def file_sha256(path: str | Path) -> str:
    """The sha256 of a file's bytes."""
    digest = hashlib.sha256()
    with Path(path).open("rb", buffering=0) as file:
        while block := file.read(CHUNK):
            digest.update(block)
    return digest.hexdigest()


def canonical(kind: pa.DataType) -> pa.DataType:
    """The type that all equal encodings of a type share: what a dictionary holds, narrow offsets, nullable children."""
    import pyarrow as pa
    from pyarrow import types

    if types.is_dictionary(kind):
        return canonical(kind.value_type)
    if types.is_large_string(kind) or types.is_string_view(kind):
        return pa.string()
    if types.is_large_binary(kind) or types.is_binary_view(kind):
        return pa.binary()
    if types.is_list(kind) or types.is_large_list(kind):
        return pa.list_(pa.field("element", canonical(kind.value_type)))
    if types.is_fixed_size_list(kind):
        return pa.list_(pa.field("element", canonical(kind.value_type)), kind.list_size)
    if types.is_struct(kind):
        return pa.struct([pa.field(child.name, canonical(child.type)) for child in kind])
    return kind


def _text(digest: Any, text: str) -> None:
    data = text.encode()
    digest.update(f"{len(data)}:".encode())
    digest.update(data)


def _whole(column: pa.ChunkedArray, plain: pa.DataType) -> pa.Array:
    """One array with wide offsets: two billion bytes of text in one column do not fit narrow ones."""
    import pyarrow as pa

    wide = _wide(plain)
    chunks = [chunk if chunk.type == wide else chunk.cast(wide) for chunk in column.chunks]
    return pa.concat_arrays(chunks) if len(chunks) > 1 else chunks[0] if chunks else pa.array([], wide)


def _wide(plain: pa.DataType) -> pa.DataType:
    import pyarrow as pa
    from pyarrow import types

    if types.is_string(plain):
        return pa.large_string()
    if types.is_binary(plain):
        return pa.large_binary()
    if types.is_list(plain):
        return pa.large_list(pa.field("element", _wide(plain.value_type)))
    if types.is_fixed_size_list(plain):
        return pa.list_(pa.field("element", _wide(plain.value_type)), plain.list_size)
    if types.is_struct(plain):
        return pa.struct([pa.field(child.name, _wide(child.type)) for child in plain])
    return plain


def _feed(digest: Any, array: pa.Array) -> None:
    """Hash which values are there, then the values, with a zero wherever one is not."""
    import pyarrow.compute as pc
    from pyarrow import types

    kind = array.type
    digest.update(f"{len(array)}:{array.null_count}:".encode())
    if types.is_null(kind):
        return
    if array.null_count:
        digest.update(_numbers(array.is_valid()).data)
    if types.is_large_string(kind) or types.is_large_binary(kind):
        _feed_bytes(digest, array)
    elif types.is_large_list(kind) or types.is_fixed_size_list(kind):
        digest.update(_numbers(pc.list_value_length(array).cast("int64")).data)
        _feed(digest, array.flatten())
    elif types.is_struct(kind):
        for child in array.flatten():
            _feed(digest, child)
    elif types.is_decimal(kind) or types.is_fixed_size_binary(kind):
        _feed_fixed(digest, array)
    else:
        digest.update(_numbers(array).data)


def _feed_bytes(digest: Any, array: pa.Array) -> None:
    import numpy as np

    filled = array.fill_null(b"" if "binary" in str(array.type) else "") if array.null_count else array
    _, ends, data = filled.buffers()
    if ends is None or not len(filled):
        return
    offsets = np.frombuffer(ends, np.int64)[filled.offset : filled.offset + len(filled) + 1]
    digest.update(np.diff(offsets).data)
    if data is not None:
        digest.update(memoryview(data)[offsets[0] : offsets[-1]])


def _feed_fixed(digest: Any, array: pa.Array) -> None:
    import numpy as np

    width = array.type.byte_width
    data = array.buffers()[1]
    if data is None or not len(array):
        return
    cells = np.frombuffer(data, np.uint8)[array.offset * width : (array.offset + len(array)) * width]
    if array.null_count:
        cells = cells.reshape(len(array), width).copy()
        cells[_numbers(array.is_null()) == 1] = 0
    digest.update(cells.data)


def _numbers(array: pa.Array) -> Numbers:
    """The values as fixed-width numbers, zero where null, one spelling for NaN and for zero."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import types

    kind = array.type
    if types.is_boolean(kind):
        array = array.cast(pa.uint8())
    elif types.is_temporal(kind) and kind != pa.month_day_nano_interval():
        array = array.view(pa.int32() if kind.bit_width == pa.int32().bit_width else pa.int64())
    elif not (types.is_integer(kind) or types.is_floating(kind)):
        raise NotImplementedError(_cure(kind))
    if array.null_count:
        array = array.fill_null(0)
    values: Numbers = array.to_numpy(zero_copy_only=False)
    if types.is_floating(kind):
        values = values + values.dtype.type(0)
        values[np.isnan(values)] = np.nan
    return values


def _cure(kind: pa.DataType) -> str:
    from pyarrow import types

    return "a list of structs" if types.is_map(kind) else "numbers, text, times, lists or structs"
