"""Rows that were the truth for a while only: seen by the moments in between, and by no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.engine.candidates import Candidates

    Whole = NDArray[np.int64]

PAIRS = 1 << 22
"""Pairs of a label row and a retracted row that are held at once."""


def newer(
    short: Candidates,
    lives: tuple[Whole, Whole],
    rank: Whole,
    codes: Whole,
    moments: Whole,
    found: NDArray[np.bool_],
    positions: Whole,
) -> tuple[NDArray[np.bool_], Whole]:
    """Let retracted rows answer where they were the truth and win against what was found among the others.

    Every pair of a label row and a retracted row of its key is looked at: what was replaced is little.
    """
    import numpy as np

    start, end = lives
    first, last = short.starts[codes], short.until(codes, moments)
    lengths = last - first
    best = np.where(found, rank[positions], -1)
    total = np.cumsum(lengths)
    begin = 0
    while begin < len(lengths):
        before = total[begin - 1] if begin else 0
        stop = max(begin + 1, int(np.searchsorted(total, before + PAIRS, side="right")))
        some = slice(begin, stop)
        row = np.repeat(np.arange(begin, stop), lengths[some])
        place = np.arange(len(row)) + np.repeat(first[some] - (np.cumsum(lengths[some]) - lengths[some]), lengths[some])
        there = short.positions[place]
        true = (start[there] <= moments[row]) & (moments[row] < end[there])
        np.maximum.at(best, row[true], rank[there[true]])
        begin = stop
    by_rank = np.zeros(len(rank), np.int64)
    by_rank[rank[short.positions]] = short.positions
    won = best > np.where(found, rank[positions], -1)
    return found | won, np.where(won, by_rank[np.maximum(best, 0)], positions)
