"""The rows that may answer, in the order in which they win: key by key, oldest first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from platform_ml.spec.errors import RowsError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]

NEVER, ALWAYS = (1 << 63) - 1, -(1 << 63)
"""Later and earlier than every time."""
BLOCK = 1 << 14
"""Rows that are searched for at once: what a processor's cache holds."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """Keys and times as one number: `code * span + (time - first)`, ordered as both are."""

    first: int
    span: int
    numbers: Whole
    """(k,)"""

    @classmethod
    def of(cls, codes: Whole, times: Whole) -> Line | None:
        """None where the numbers would not fit 64 bits."""
        if not len(codes):
            return None
        first = int(times.min())
        span = int(times.max()) - first + 1
        if (int(codes.max()) + 2) * span >= NEVER:  # one more, for keys that are asked for and come after all of these
            return None
        numbers = codes * span  # then in place: what is never allocated need not be fetched
        numbers += times
        numbers -= first
        return cls(first=first, span=span, numbers=numbers)

    def until(self, codes: Whole, moments: Whole) -> Whole:
        """(m,) how many numbers are of earlier keys, or of the key and not after the moment."""
        import numpy as np

        # Before the first time is just below the key's own numbers: at most the last one of the key before.
        low, high = self.first - 1, self.first + self.span - 1
        since = np.clip(moments, low, high) - self.first
        codes = np.minimum(codes, self.numbers[-1] // self.span + 1)  # those of later keys would not fit 64 bits
        return np.searchsorted(self.numbers, codes * self.span + since, side="right")


@dataclass(frozen=True)
class Candidates:
    """Rows of one group, ordered by key and by what wins."""

    codes: Whole
    """(k,) the number of each row's key."""
    times: Whole
    """(k,) from when on each row can be used, UTC microseconds; ascending within a key."""
    positions: Whole
    """(k,) where the row stands in the group."""
    count: int
    """Codes are below this."""
    line: Line | None
    """Keys and times as one number, if they fit."""

    @classmethod
    def of(cls, codes: Whole, times: Whole, positions: Whole, count: int) -> Candidates:
        """Rows that are in order."""
        return cls(codes, times, positions, count, Line.of(codes, times))

    @cached_property
    def starts(self) -> Whole:
        """(count + 1,) where the rows of each key begin."""
        import numpy as np

        return np.searchsorted(self.codes, np.arange(self.count + 1))

    def until(self, codes: Whole, moments: Whole) -> Whole:
        """(m,) the place after the last row of each key that can be used at the moment; `starts` of it if none can.

        Fast when asked in the order of codes and moments, since neighbours are then found near each other.
        """
        import numpy as np

        if not len(self.codes):
            return np.zeros(len(codes), np.int64)
        if self.line is not None:
            return self.line.until(codes, moments)
        found = np.empty(len(codes), np.int64)
        for block in range(0, len(codes), BLOCK):
            some, at = codes[block : block + BLOCK], moments[block : block + BLOCK]
            low, high = self.starts[some], self.starts[some + 1]
            while (left := low < high).any():  # halving as often as the longest history needs
                middle = (low + high) >> 1
                usable = left & (self.times[np.minimum(middle, len(self.times) - 1)] <= at)
                low = np.where(usable, middle + 1, low)
                high = np.where(left & ~usable, middle, high)
            found[block : block + BLOCK] = low
        return found


def ordered(codes: Whole, times: Whole, positions: Whole, count: int) -> Candidates:
    """Rows (with a key that is asked for, and a time) by key and time; equals in any order."""
    import numpy as np

    line = Line.of(codes, times)
    if line is not None and not (line.numbers[1:] >= line.numbers[:-1]).all():
        order = np.argsort(line.numbers)
        codes, times, positions = codes[order], times[order], positions[order]
        line = Line(first=line.first, span=line.span, numbers=line.numbers[order])
    elif line is None and len(codes):
        order = np.lexsort((times, codes))
        codes, times, positions = codes[order], times[order], positions[order]
    return Candidates(codes, times, positions, count, line)


def settle(found: Candidates, created: Whole | None, sequence: Whole | None, refuse: Refusal | None) -> Candidates:
    """Order rows of one key and moment by `created`, `sequence` and position; refuse what differs and nothing orders.

    `created` and `sequence` are those of all rows of the group, `ALWAYS` where null.
    """
    import numpy as np

    if found.line is not None:
        ties = found.line.numbers[1:] == found.line.numbers[:-1]
    else:
        ties = (found.codes[1:] == found.codes[:-1]) & (found.times[1:] == found.times[:-1])
    if not ties.any():
        return found
    tied = np.zeros(len(found.codes), bool)
    tied[1:] |= ties
    tied[:-1] |= ties
    places = np.flatnonzero(tied)
    begins = np.ones(len(places), bool)
    begins[1:] = ~ties[places[1:] - 1]
    group, rows = np.cumsum(begins), found.positions[places]
    by = [rows, *(column[rows] for column in (sequence, created) if column is not None), group]
    order = np.lexsort(by)
    rows = rows[order]
    if refuse is not None:
        equal = group[order][1:] == group[order][:-1]
        for column in by[1:-1]:
            equal &= column[order][1:] == column[order][:-1]
        refuse.check(rows[:-1][equal], rows[1:][equal])
    positions = found.positions.copy()
    positions[places] = rows
    return replace(found, positions=positions)


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Raises where two rows that nothing orders say different things."""

    where: str
    rows: pa.Table
    """What tells rows apart, keys first."""
    keys: tuple[str, ...]

    def check(self, left: Whole, right: Whole) -> None:
        """`RowsError` when a row at `left` differs from its neighbour at `right`."""
        import numpy as np
        import pyarrow as pa

        if not len(left):
            return
        differs = np.zeros(len(left), bool)
        places = pa.array(np.concatenate((left, right)))
        for name in self.rows.column_names:
            column = self.rows[name].take(places).combine_chunks()
            if pa.types.is_list(column.type):  # Arrow numbers no lists
                column = pa.array([repr(value) for value in column.to_pylist()], pa.string())
            code = column.dictionary_encode(null_encoding="encode").indices
            one, other = np.split(code.to_numpy(), 2)
            differs |= one != other
        if differs.any():
            pair = self.rows.take(pa.array([int(left[differs][0]), int(right[differs][0])])).to_pylist()
            raise RowsError(
                f"{self.where}: {int(differs.sum()):,} rows have the same key and event time as another one but say "
                f"something else, first {_shown(pair[0], self.keys)}: {_differences(*pair)}. Declare what orders them "
                "(created, sequence), or ties='last' in the group's history."
            )


def _shown(row: dict[str, Any], keys: tuple[str, ...]) -> str:
    return ", ".join(f"{key} = {row[key]!r}" for key in keys)


def _differences(one: dict[str, Any], other: dict[str, Any]) -> str:
    return "; ".join(f"{name} is {one[name]!r} and {other[name]!r}" for name in one if one[name] != other[name])


def known_newest(found: Candidates, known: Whole, ready: Whole) -> Candidates:
    """The rows that are ever the newest known one, by when they become so.

    `known` and `ready` say for all rows of the group since when they are known and usable. A row is available from the
    later of both. One is never the answer when a newer one of its key is available no later; those that are left become
    available in their order, so a bitemporal question becomes a search for one time.
    """
    import numpy as np

    available = np.maximum(known[found.positions], ready[found.positions])
    line = Line.of(found.codes, available)
    if line is not None:
        numbers = line.numbers
    else:
        order = np.lexsort((available, found.codes))
        numbers = np.empty(len(order), np.int64)
        numbers[order] = np.arange(len(order))  # equals apart: the older one of them is then left, and never found
    if (numbers[1:] > numbers[:-1]).all():
        return Candidates(found.codes, available, found.positions, found.count, line)
    kept = np.ones(len(numbers), bool)
    kept[:-1] = numbers[:-1] < np.minimum.accumulate(numbers[:0:-1])[::-1]
    left = replace(line, numbers=numbers[kept]) if line is not None else None
    return Candidates(found.codes[kept], available[kept], found.positions[kept], found.count, left)
