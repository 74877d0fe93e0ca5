"""Which rows of two tables are about the same thing: equal keys become equal numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

MOST = 1 << 62
"""Numbers of pairs stay below this, so that no product overflows."""


@dataclass(frozen=True, kw_only=True)
class Matched:
    """A number for each row's key; -1 where the other side cannot have it."""

    spine: NDArray[np.int64]
    """(m,)"""
    rows: NDArray[np.int64]
    """(n,) ascending where `rows` come ordered by their keys."""
    count: int
    """Numbers are below this."""


def match(
    spine: Sequence[pa.ChunkedArray], rows: Sequence[pa.ChunkedArray], lengths: tuple[int, int], *, nulls: bool
) -> Matched:
    """Number the keys of `spine` in their order and find them in `rows`, column by column, so no two can be mixed up.

    `lengths` are those of both sides (without key columns everything is one thing). `nulls`: a null is a key like any
    other; otherwise it matches nothing.
    """
    import numpy as np

    found = Matched(spine=np.zeros(lengths[0], np.int64), rows=np.zeros(lengths[1], np.int64), count=1)
    for number, (wanted, there) in enumerate(zip(spine, rows, strict=True)):
        column = _column(wanted, there, nulls=nulls)
        found = _pairs(found, column) if number else column
    return found


def _column(wanted: pa.ChunkedArray, there: pa.ChunkedArray, *, nulls: bool) -> Matched:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    encoded = pa.chunked_array(wanted).combine_chunks().dictionary_encode(null_encoding="encode")
    names = encoded.dictionary
    order = pc.sort_indices(names).to_numpy()
    if not nulls and names.null_count:
        order = order[: len(order) - names.null_count]  # nulls come last
    number = np.full(len(names), -1, np.int64)
    number[order] = np.arange(len(order))
    known = names.take(pa.array(order))
    spine = number[encoded.indices.to_numpy()]
    return Matched(spine=spine, rows=_find(there, known, nulls=nulls), count=len(order))


def _find(there: pa.ChunkedArray, known: pa.Array, *, nulls: bool) -> NDArray[np.int64]:
    """The place of each value in `known`; values that stand in a row are looked up once."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    heads, repeats = there, None
    if pa.types.is_integer(there.type) and not there.null_count and len(there):
        values = there.to_numpy()
        starts = np.flatnonzero(values[1:] != values[:-1]) + 1
        if len(starts) < len(values) // 2:
            starts = np.concatenate(([0], starts))
            heads, repeats = pa.array(values[starts]), np.diff(np.append(starts, len(values)))
    if heads.type != known.type:
        known = known.cast(heads.type)
    places = pc.index_in(heads, value_set=known, skip_nulls=not nulls).fill_null(-1)
    found = places.to_numpy(zero_copy_only=False) if isinstance(places, pa.Array) else places.to_numpy()
    found = found.astype(np.int64)
    return found if repeats is None else np.repeat(found, repeats)


def _pairs(left: Matched, right: Matched) -> Matched:
    """Number pairs of numbers; only those that the spine has."""
    import numpy as np

    if left.count * max(right.count, 1) >= MOST:  # cannot be: both are below the number of rows
        raise OverflowError(left.count * right.count)

    def together(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.where((a < 0) | (b < 0), -1, a * right.count + b)

    spine, rows = together(left.spine, right.spine), together(left.rows, right.rows)
    known = np.unique(spine[spine >= 0])

    def place(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
        if not len(known):
            return np.full(len(pairs), -1, np.int64)
        at = np.minimum(np.searchsorted(known, pairs), len(known) - 1)
        return np.where(known[at] == pairs, at, -1)

    return Matched(spine=place(spine), rows=place(rows), count=len(known))
