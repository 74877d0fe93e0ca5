"""Reading and replacing the columns of a table by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError, RowsError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


def check_of(kind: str, of: Sequence[str]) -> None:
    """Refuse a preparation of nothing, or of one feature twice."""
    if not of or len(set(of)) < len(of):
        raise DeclarationError(f"{kind}: of={tuple(of)!r} has to name at least one feature, and each once.")


def found(rows: pa.Table, name: str) -> pa.ChunkedArray:
    """The column, or the near miss."""
    if rows.column_names.count(name) != 1:
        near = did_you_mean(name, rows.column_names)
        raise RowsError(f"The rows have no feature {name!r}, or more than one.{near}")
    return rows[name]


def numbers(rows: pa.Table, name: str, kind: str) -> NDArray[np.float64]:
    """(n,) as floats, NaN where null; `RowsError` for what is no number."""
    import pyarrow as pa

    values = found(rows, name)
    of = values.type
    is_number = pa.types.is_integer(of) or pa.types.is_floating(of) or pa.types.is_decimal(of)
    if not (is_number or pa.types.is_boolean(of) or pa.types.is_null(of)):
        raise RowsError(f"{kind} is for numbers, and feature {name!r} is {of}.")
    array: NDArray[np.float64] = values.cast("double", safe=False).to_numpy()
    return array


def known(rows: pa.Table, name: str, kind: str) -> NDArray[np.float64]:
    """Those that are not null; at least one, and all of them finite."""
    import numpy as np

    values = numbers(rows, name, kind)
    values = values[~np.isnan(values)]
    if not values.size:
        raise RowsError(f"{kind} finds feature {name!r} null in all {rows.num_rows:,} training rows. Drop it.")
    if np.isinf(values).any():
        raise RowsError(f"{kind} finds infinite values of feature {name!r}. Look for a division by zero.")
    return values


def changed(
    rows: pa.Table, names: Sequence[str], kind: str, change: Callable[[str, NDArray[np.float64]], NDArray[np.float64]]
) -> pa.Table:
    """The rows with other numbers in these columns; NaN becomes null again."""
    import pyarrow as pa

    for name in names:
        values = pa.array(change(name, numbers(rows, name, kind)), pa.float64(), from_pandas=True)
        rows = rows.set_column(rows.column_names.index(name), name, values)
    return rows
