"""What a model says of rows, as columns: a score, and what is made of it for classes and rankings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.engine.schema import arrow_type
from platform_ml.spec.errors import RowsError
from platform_ml.spec.intervals import LOWER, UPPER
from platform_ml.spec.scores import (
    CLUSTER,
    MODEL_DIGEST,
    MODEL_VERSION,
    PREDICTED,
    PROBABILITIES,
    RANK,
    SCORE,
)
from platform_ml.spec.task import CLUSTERING, MULTICLASS, RANKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.engine.serving import Served
    from platform_ml.spec.scores import Scores


def predicted(scores: Scores, served: Served, rows: pa.Table, features: pa.Table) -> tuple[pa.Table, int]:
    """The columns of the table for these rows, which are in the order of their keys; and how many are not finite.

    Raises:
        RowsError: the model gives another number of answers than there are rows, or than it has classes.
    """
    import numpy as np
    import pyarrow as pa

    classes = len(served.classes) if scores.task is MULTICLASS else 0
    shape = (rows.num_rows, classes) if classes else (rows.num_rows,)
    # No family can be trusted with a table of no rows.
    found = np.asarray(served.predictor.predict(features), np.float64) if rows.num_rows else np.empty(shape)
    clusters = scores.task is CLUSTERING
    if clusters and found.ndim > 1:
        shape = (rows.num_rows, found.shape[1])
    if found.shape != shape:
        raise RowsError(f"Model {served.digest[:12]} gives answers of shape {found.shape}; {shape} was expected.")
    said: dict[str, object] = {}
    if classes:
        best = found.argmax(axis=1) if len(found) else np.empty(0, np.int64)
        ends = np.arange(rows.num_rows + 1, dtype=np.int32) * classes
        said[PREDICTED] = pa.array(served.classes, pa.string()).take(pa.array(best))
        said[SCORE] = found[np.arange(len(found)), best]
        said[PROBABILITIES] = pa.ListArray.from_arrays(pa.array(ends), pa.array(found.ravel()))
    elif clusters:
        said[SCORE] = found.min(axis=1) if found.ndim > 1 else found
        said[CLUSTER] = found.argmin(axis=1) + 1 if found.ndim > 1 else found.astype(np.int64)
    else:
        said[SCORE] = found
    if served.intervals is not None:
        ends = served.intervals.bounds(found, features)
        said |= {LOWER: ends[:, 0], UPPER: ends[:, 1]}
    if scores.task is RANKING:
        said[RANK] = ranks(found, rows[str(scores.label.ranked_within)])
    said[MODEL_VERSION] = np.full(rows.num_rows, served.version, np.int64)
    said[MODEL_DIGEST] = pa.array([served.digest] * rows.num_rows, pa.string())
    types = {name: arrow_type(kind) for name, kind in scores.columns.items()}
    columns = [_column(said[name] if name in said else rows[name], kind) for name, kind in types.items()]
    return pa.table(columns, names=list(types)), int(
        (~np.isfinite(found if found.ndim == 1 else found.sum(axis=1))).sum()
    )


def ranks(score: NDArray[np.float64], group: pa.ChunkedArray) -> NDArray[np.int64]:
    """(n,) the place of each row in its group, 1 for the greatest score; of equal scores the row that is first."""
    import numpy as np
    import pyarrow.compute as pc

    if not len(score):
        return np.empty(0, np.int64)
    codes = pc.rank(group, sort_keys="ascending", tiebreaker="dense").to_numpy().astype(np.int64)
    order = np.lexsort((np.arange(len(score)), -score, codes))
    begins = np.flatnonzero(np.diff(codes[order], prepend=codes[order][0] - 1))
    counts = np.diff(np.append(begins, len(score)))
    found = np.empty(len(score), np.int64)
    found[order] = np.arange(len(score)) - np.repeat(begins, counts) + 1
    return found


def _column(given: object, kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
    import pyarrow as pa

    column = given if isinstance(given, pa.Array | pa.ChunkedArray) else pa.array(given)
    return column if column.type == kind else column.cast(kind)
