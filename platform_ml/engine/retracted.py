"""Rows that were the truth for a while only: seen by the moments in between, and by no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.engine.pairs import paired

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.engine.candidates import Candidates

    Whole = NDArray[np.int64]


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
    best = np.where(found, rank[positions], -1)
    for some, number, place in paired(first, last):
        row, there = number + some.start, short.positions[place]
        true = (start[there] <= moments[row]) & (moments[row] < end[there])
        np.maximum.at(best, row[true], rank[there[true]])
    by_rank = np.zeros(len(rank), np.int64)
    by_rank[rank[short.positions]] = short.positions
    won = best > np.where(found, rank[positions], -1)
    return found | won, np.where(won, by_rank[np.maximum(best, 0)], positions)
