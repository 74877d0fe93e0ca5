"""Which rows of two tables are about the same thing: equal keys become equal numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The keys of a table, numbered in their order: column by column, so that no two of them can be mixed up."""

    codes: Whole
    """(m,) the number of each row's key; -1 for a null that matches nothing."""
    count: int
    """Numbers are below this."""
    known: tuple[pa.Array, ...]
    """For each column its values in order."""
    pairs: tuple[Whole, ...]
    """For each column after the first: the numbers so far times its values, as far as they occur, in order."""
    nulls: bool
    """Whether a null is a key like any other."""

    @classmethod
    def of(cls, columns: Sequence[pa.ChunkedArray], length: int, *, nulls: bool) -> Keys:
        """Number the keys of `length` rows. Without key columns everything is one thing."""
        import numpy as np

        codes, count, known, pairs = np.zeros(length, np.int64), 1, [], []
        for number, column in enumerate(columns):
            values, code = _numbered(column, nulls=nulls)
            known.append(values)
            if not number:
                codes, count = code, len(values)
                continue
            both = _together(codes, code, len(values))
            pairs.append(np.unique(both[both >= 0]))
            codes, count = _place(pairs[-1], both), len(pairs[-1])
        return cls(codes=codes, count=count, known=tuple(known), pairs=tuple(pairs), nulls=nulls)

    def find(self, columns: Sequence[pa.ChunkedArray], length: int) -> Whole:
        """(n,) the number of each row of another table; -1 where its key is none of these."""
        import numpy as np

        codes = np.zeros(length, np.int64)
        for number, (column, known) in enumerate(zip(columns, self.known, strict=True)):
            found = _found(column, known, nulls=self.nulls)
            codes = _place(self.pairs[number - 1], _together(codes, found, len(known))) if number else found
        return codes


def _numbered(column: pa.ChunkedArray, *, nulls: bool) -> tuple[pa.Array, Whole]:
    """The different values in order, and the number of each row's value."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_dictionary(whole.type):
        whole = whole.cast(whole.type.value_type)
    encoded = whole.dictionary_encode(null_encoding="encode")
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    values = encoded.dictionary
    order = pc.sort_indices(values).to_numpy()
    if not nulls and values.null_count:
        order = order[: len(order) - values.null_count]  # nulls come last
    number = np.full(len(values), -1, np.int64)
    number[order] = np.arange(len(order))
    return values.take(pa.array(order)), number[encoded.indices.to_numpy()]


def _found(column: pa.ChunkedArray, known: pa.Array, *, nulls: bool) -> Whole:
    """The place of each value in `known`; values that stand in a row are looked up once."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    heads, repeats = column, None
    if pa.types.is_integer(column.type) and not column.null_count and len(column):
        values = column.to_numpy()
        starts = np.flatnonzero(values[1:] != values[:-1]) + 1
        if len(starts) < len(values) // 2:
            starts = np.concatenate(([0], starts))
            heads, repeats = pa.array(values[starts]), np.diff(np.append(starts, len(values)))
    if heads.type != known.type:
        heads = heads.cast(known.type)
    places = pc.index_in(heads, value_set=known, skip_nulls=not nulls).fill_null(-1)
    found = places.to_numpy(zero_copy_only=False) if isinstance(places, pa.Array) else places.to_numpy()
    return np.repeat(found.astype(np.int64), 1 if repeats is None else repeats)


def _together(left: Whole, right: Whole, count: int) -> Whole:
    """One number for two; both are below the number of rows, so that no product leaves 64 bits."""
    import numpy as np

    return np.where((left < 0) | (right < 0), -1, left * count + right)


def _place(known: Whole, numbers: Whole) -> Whole:
    import numpy as np

    if not len(known):
        return np.full(len(numbers), -1, np.int64)
    at = np.minimum(np.searchsorted(known, numbers), len(known) - 1)
    return np.where(known[at] == numbers, at, -1)
