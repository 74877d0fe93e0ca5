"""Label rows as a join asks for them: by key and moment, sorted once for all groups that are asked alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from platform_ml.engine.candidates import Line
from platform_ml.engine.match import Keys
from platform_ml.spec.feature_group import EVENT_TIME

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.spec.feature_group import Selection

    Whole = NDArray[np.int64]

V = TypeVar("V", bound="np.generic")


@dataclass(frozen=True, kw_only=True)
class Questions:
    """The label rows that have a key and a moment, in the order of both."""

    keys: Keys
    """Of all label rows."""
    rows: Whole
    """(q,) which label row asks."""
    codes: Whole
    """(q,) the number of its key."""
    moments: Whole
    """(q,) UTC microseconds."""
    count: int
    """Label rows in all."""

    def spread(self, answers: NDArray[V]) -> NDArray[V]:
        """(count,) the answers in the order of the label rows, zero for those that do not ask."""
        import numpy as np

        found = np.zeros(self.count, answers.dtype)
        found[self.rows] = answers
        return found

    def scattered(self, answers: pa.Array, absent: int | None) -> pa.Array:
        """(count,) likewise, `absent` for those that do not ask."""
        import numpy as np
        import pyarrow as pa

        places = np.full(self.count, -1, np.int64)
        places[self.rows] = np.arange(len(self.rows))
        found = answers.take(pa.array(places, mask=places < 0))
        if absent is None or len(self.rows) == self.count:
            return found
        import pyarrow.compute as pc

        return pc.if_else(pa.array(places < 0), pa.scalar(absent, answers.type), found)


@dataclass(frozen=True)
class Spine:
    """The label rows, and what was asked of them already."""

    table: pa.Table
    _keys: dict[Any, Keys] = field(default_factory=dict, repr=False, compare=False)
    _questions: dict[Any, Questions] = field(default_factory=dict, repr=False, compare=False)

    def questions(self, selection: Selection) -> Questions:
        """What a selection asks."""
        rules = selection.group.rules
        nulls = rules is not None and rules.match_null_keys
        columns = tuple(selection.keys.values())
        time = (selection.at or EVENT_TIME) if rules else None
        if (columns, nulls) not in self._keys:
            wanted = [self.table[name] for name in columns]
            self._keys[columns, nulls] = Keys.of(wanted, self.table.num_rows, nulls=nulls)
        if (columns, nulls, time) not in self._questions:
            self._questions[columns, nulls, time] = self._ask(self._keys[columns, nulls], time)
        return self._questions[columns, nulls, time]

    def _ask(self, keys: Keys, time: str | None) -> Questions:
        import numpy as np

        count = self.table.num_rows
        times = Times.of(self.table[time]) if time else Times.always(count)
        asks = (keys.codes >= 0) & times.known
        rows = np.arange(count) if asks.all() else np.flatnonzero(asks)
        codes, moments = keys.codes[rows], times.values[rows]
        line = Line.of(codes, moments)
        order = np.lexsort((moments, codes)) if line is None else np.argsort(line.numbers)
        return Questions(keys=keys, rows=rows[order], codes=codes[order], moments=moments[order], count=count)


@dataclass(frozen=True, kw_only=True)
class Times:
    """Moments of rows, or other whole numbers."""

    values: Whole
    """UTC microseconds; anything where not known."""
    known: NDArray[np.bool_]

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> Times:
        """Those of a column."""
        import numpy as np
        import pyarrow as pa

        array = whole(column)
        known = np.ones(len(array), bool) if not array.null_count else array.is_valid().to_numpy(zero_copy_only=False)
        if pa.types.is_timestamp(array.type):
            array = array.cast(pa.timestamp("us", tz=array.type.tz)).view(pa.int64())
        array = array.cast(pa.int64())
        return cls(values=(array.fill_null(0) if array.null_count else array).to_numpy(), known=known)

    @classmethod
    def always(cls, count: int) -> Times:
        """One moment for all."""
        import numpy as np

        return cls(values=np.zeros(count, np.int64), known=np.ones(count, bool))


def whole(column: pa.ChunkedArray) -> pa.Array:
    """One array; text with wide offsets, since two billion bytes of it do not fit narrow ones."""
    import pyarrow as pa

    if column.num_chunks > 1 and pa.types.is_string(column.type) and column.nbytes >= 1 << 31:
        column = column.cast(pa.large_string())
    found = column.combine_chunks()
    return pa.concat_arrays(found.chunks) if isinstance(found, pa.ChunkedArray) else found
