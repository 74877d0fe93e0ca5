"""Rows that are put together column by column, whatever the columns hold: numbers, texts, nulls, lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.spec.family import Predictor

BATCH = 65_536
"""Rows that exist at once."""


def mixed(rows: pa.Table, places: NDArray[np.int64]) -> pa.Table:
    """A table whose value in row i and column j is that of row `places[i, j]` of `rows`."""
    import pyarrow as pa

    columns = [column.take(pa.array(places[:, at])) for at, column in enumerate(rows.columns)]
    return pa.table(columns, schema=rows.schema)


def tied(rows: pa.Table) -> list[list[int]]:
    """The places of columns that only move together: lists that have equal lengths in all rows; others by themselves.

    A network reads such lists element by element, and no row has one of them without the other.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    found: dict[object, list[int]] = {}
    for place, column in enumerate(rows.columns):
        kind = column.type
        if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
            found.setdefault(pc.list_value_length(column).fill_null(0).to_numpy().tobytes(), []).append(place)
        else:
            found[place] = [place]
    return list(found.values())


def predicted(predictor: Predictor, rows: pa.Table, places: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n, outputs) what a model predicts for `mixed` rows, some of them at a time."""
    import numpy as np

    rows = rows.combine_chunks()

    parts = [
        np.asarray(predictor.predict(mixed(rows, places[start : start + BATCH])), dtype=np.float64)
        for start in range(0, max(1, len(places)), BATCH)
    ]
    found = np.concatenate(parts)
    return found if found.ndim > 1 else found[:, None]
