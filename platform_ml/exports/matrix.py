"""Features as one matrix, as deep learning takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.spec.errors import RowsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


def is_number(kind: pa.DataType) -> bool:
    """Whether a column of this type can be part of a matrix."""
    from pyarrow import types

    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_boolean(kind))


def matrix(batch: pa.RecordBatch, columns: Sequence[str]) -> NDArray[np.float32]:
    """(n, len(columns)) in this order, NaN where null; `RowsError` for a column that is no number."""
    import numpy as np

    found = np.empty((batch.num_rows, len(columns)), np.float32)
    with np.errstate(over="ignore"):
        for place, name in enumerate(columns):
            kind = batch.schema.field(name).type
            if not is_number(kind):
                raise RowsError(f"Column {name!r} is {kind}, no number. Choose other features, or derive one from it.")
            found[:, place] = batch[name].cast("double", safe=False).to_numpy(zero_copy_only=False)
    return found
