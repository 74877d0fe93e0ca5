"""Rows in the order of their key, and whether any two of them share one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa


def rises(rows: pa.Table, key: Sequence[str]) -> bool:
    """Whether every row has a greater key than the one before: rows are then in order, and no two share a key."""
    import pyarrow.compute as pc

    if rows.num_rows <= 1:
        return True
    after: Any = None
    for name in reversed(key):
        column = rows[name]
        if column.null_count:
            return False
        one, two = column.slice(0, len(column) - 1), column.slice(1)
        less = pc.less(one, two)
        after = less if after is None else pc.or_(less, pc.and_(pc.equal(one, two), after))
    return bool(pc.all(after).as_py())


def ordered(rows: pa.Table, key: Sequence[str]) -> tuple[pa.Table, bool]:
    """The rows by ascending key, and whether no two share one; rows that are in order already are not copied."""
    import pyarrow.compute as pc

    if rises(rows, key):
        return rows, True
    rows = rows.take(pc.sort_indices(rows, [(name, "ascending") for name in key]))
    return rows, rises(rows, key)


def runs(column: pa.ChunkedArray) -> list[tuple[Any, int, int]]:
    """Value, place and length of each stretch of equal values."""
    import pyarrow.compute as pc
    from pyarrow import types

    found: list[tuple[Any, int, int]] = []
    start = 0
    for chunk in column.chunks:
        short = types.is_dictionary(chunk.type)
        encoded = pc.run_end_encode(chunk.indices if short else chunk)
        values = chunk.dictionary.take(encoded.values) if short else encoded.values
        before = 0
        for end, value in zip(encoded.run_ends.to_pylist(), values.to_pylist(), strict=True):
            if found and found[-1][0] == value:
                found[-1] = (value, found[-1][1], found[-1][2] + end - before)
            else:
                found.append((value, start + before, end - before))
            before = end
        start += len(chunk)
    return found
