"""Columns as NumPy arrays and back, for formats that know numbers and bytes only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

DIGITS = 18
"""What a decimal may have to be kept as a whole number of 64 bits; longer ones are text."""


def is_text(kind: pa.DataType) -> bool:
    """Whether the column is kept as text: text, and decimals that do not fit 64 bits."""
    from pyarrow import types

    return bool(types.is_string(kind) or (types.is_decimal(kind) and kind.precision > DIGITS))


def numbers(column: pa.Array) -> NDArray[Any]:
    """(n,) the values, zero where null: moments as datetime64[us], dates as datetime64[D], decimals unscaled."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import types

    kind = column.type
    if types.is_decimal(kind):
        words = np.frombuffer(column.buffers()[1] or b"", np.int64)[2 * column.offset :: 2][: len(column)]
        found = words.copy()
        found[nulls(column)] = 0
        return found
    if types.is_temporal(kind):
        whole = column.view(pa.int64() if types.is_timestamp(kind) else pa.int32()).fill_null(0).to_numpy()
        return np.asarray(whole.astype(np.int64).view("M8[us]" if types.is_timestamp(kind) else "M8[D]"))
    empty = False if types.is_boolean(kind) else 0
    return np.asarray(column.fill_null(empty).to_numpy(zero_copy_only=False))


def nulls(column: pa.Array) -> NDArray[Any]:
    """(n,) true where the value is null."""
    import numpy as np

    return np.asarray(column.is_null().to_numpy(zero_copy_only=False))


def array(values: NDArray[Any] | Sequence[str], missing: NDArray[Any] | None, kind: pa.DataType) -> pa.Array:
    """The column of this type that `numbers` (or text) and `nulls` were made of."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import types

    if is_text(kind):
        return pa.array(values, pa.string(), mask=missing).cast(kind)
    values = np.ascontiguousarray(values)
    if types.is_decimal(kind):
        words = np.empty((len(values), 2), np.int64)
        words[:, 0], words[:, 1] = values, values >> 63
        valid = None if missing is None else pa.array(~missing).buffers()[1]
        return pa.Array.from_buffers(kind, len(values), [valid, pa.py_buffer(words)])
    if types.is_temporal(kind):
        width = np.int64 if types.is_timestamp(kind) else np.int32
        whole = values.view(np.int64).astype(width)
        return pa.array(whole, mask=missing).view(kind)
    return pa.array(values, kind, mask=missing, from_pandas=False)
