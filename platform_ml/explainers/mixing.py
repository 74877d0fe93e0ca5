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
