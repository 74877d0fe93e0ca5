"""What is a usual number of rows, said by the partitions before."""

from __future__ import annotations

from datetime import date
from math import sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LEAST = 5
"""Partitions that make a history; with fewer the last one alone is compared with."""
ENOUGH = 4
"""Partitions of the same weekday that make a history of their own."""
WIDTH = 4.0
"""Standard deviations, estimated from the median absolute deviation, that rows may be away from the median."""
CONSISTENT = 1.4826
"""What turns the MAD of a normal distribution into its standard deviation (Rousseeuw & Croux 1993, JASA 88:1273)."""
TOLERANCE = 0.3
"""The share of the median that rows may always be away from it: half or twice as many are not."""
USUAL_CHANGE = 0.5
"""The share by which rows may differ from those of the partition before, where that is all there is."""


def judged_rows(
    key: str, rows: int, earlier: Mapping[str, int], tolerance: float = TOLERANCE
) -> tuple[bool, str, float | None]:
    """Whether so many rows are usual, why, and the usual number; `earlier` is partition → rows, oldest first.

    Within `tolerance` of the median, or within `WIDTH` robust standard deviations of it, or of a Poisson count; of the
    partitions of the same weekday, where there are enough, so that a quiet Sunday is compared with Sundays. Median and
    MAD stand up to half of the history being wrong.
    """
    from statistics import median  # not needed to declare, and slow to load

    some, what = _like(key, earlier)
    if len(some) >= LEAST or what:
        middle = median(some)
        spread = CONSISTENT * median(abs(one - middle) for one in some)
        width = max(tolerance * middle, WIDTH * spread, WIDTH * sqrt(max(1, middle)))
        usual = f"{max(0, middle - width):,.0f} to {middle + width:,.0f} are usual"
        return abs(rows - middle) <= width, f"{usual} after {len(some)} {what or 'partitions'}", middle
    if some and (before := list(some)[-1]):
        return abs(rows - before) <= USUAL_CHANGE * before, f"{before:,} in the partition before", before
    return rows > 0, "nothing to compare with", None


def _like(key: str, earlier: Mapping[str, int]) -> tuple[list[int], str]:
    """The partitions of the same weekday, if there are days and enough of them; otherwise all."""
    try:
        days = {date.fromisoformat(one): rows for one, rows in earlier.items()}
        weekday = date.fromisoformat(key).weekday()
    except ValueError:
        return list(earlier.values()), ""
    if len({day.weekday() for day in days}) == 1:
        return list(earlier.values()), ""
    same = [rows for day, rows in days.items() if day.weekday() == weekday]
    return (same, f"{date.fromisoformat(key):%A}s") if len(same) >= ENOUGH else (list(earlier.values()), "")
