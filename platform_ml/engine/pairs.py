"""Label rows beside the rows of a group that each of them looks at, as many at once as memory should hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]

PAIRS = 1 << 22
"""Pairs of a label row and a row of a group that are held at once; one label row may have more."""


def paired(first: Whole, last: Whole) -> Iterator[tuple[slice, Whole, Whole]]:
    """Of label rows that look at the places [first, last): some of them, and all their pairs, row after row.

    A pair is the number of the label row among those, and the place that it looks at.
    """
    import numpy as np

    lengths = last - first
    total = np.cumsum(lengths)
    start = 0
    while start < len(lengths):
        before = total[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(total, before + PAIRS, side="right")))
        some = slice(start, stop)
        row = np.repeat(np.arange(stop - start), lengths[some])
        offset = total[some] - lengths[some] - before
        yield some, row, np.arange(len(row)) + np.repeat(first[some] - offset, lengths[some])
        start = stop
