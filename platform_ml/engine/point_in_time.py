"""The join of label rows with what was known at their moment: one row out for each row in, in the same order."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from platform_ml.engine.candidates import ALWAYS, NEVER, Candidates, Refusal, known_newest, ordered, settle
from platform_ml.engine.exact_window import Events, windows
from platform_ml.engine.join_input import prepared
from platform_ml.engine.retracted import newer
from platform_ml.engine.schema import arrow_type
from platform_ml.engine.spine import Questions, Spine, Times, whole
from platform_ml.spec.feature_group import EVENT_TIME
from platform_ml.spec.history import AsOf, Committed, History, Mutations, PerRow, ValidTime
from platform_ml.spec.window import microseconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.spec.feature import Feature
    from platform_ml.spec.feature_group import FeatureGroup, Selection
    from platform_ml.spec.history import Knowledge
    from platform_ml.spec.schema import Type

    Whole = NDArray[np.int64]

KNOWN_FROM, KNOWN_TO = "_known_from", "_known_to"
"""Columns that say of the rows of a group with `Committed` knowledge in which time they were the truth."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """Rows of a group and what is taken of them."""

    selection: Selection
    rows: pa.Table
    """Keys, `event_time` unless it has no time, and `stored_columns` of the group."""


@dataclass(frozen=True, kw_only=True)
class Joined:
    """What a side says about each label row."""

    columns: Mapping[str, pa.Array]
    there: NDArray[np.bool_]
    """(m,) where the group has any row of the key: elsewhere everything is absent."""


def join(
    spine: pa.Table, sides: Sequence[Side], *, knowledge: Knowledge | None = None, threads: int | None = None
) -> pa.Table:
    """`spine` (m rows) with the columns of every side appended, still m rows in their order.

    Times are UTC microseconds. A spine row without key or moment keeps its place and finds nothing. The result does not
    depend on the number of threads (None: as many as there are cores).

    Raises:
        RowsError: rows of a group have the same key and time but differ, and nothing declared orders them; columns are
            missing or cannot be compared.
    """
    rows, given = prepared(spine, sides)
    found = answers(Spine(rows), given, knowledge or ValidTime(), threads=threads)
    return with_columns(spine, {name: column for joined in found for name, column in joined.columns.items()})


def with_columns(spine: pa.Table, columns: Mapping[str, pa.Array]) -> pa.Table:
    """All at once: appended one by one, ten thousand columns are copied ten thousand times."""
    import pyarrow as pa

    return pa.table([*spine.columns, *columns.values()], names=[*spine.column_names, *columns])


def answers(spine: Spine, sides: Sequence[Side], knowledge: Knowledge, *, threads: int | None = None) -> list[Joined]:
    """What each side says about the label rows."""
    for side in sides:
        spine.questions(side.selection)  # once for all that ask alike, before they run side by side
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        return list(pool.map(lambda side: _Lookup(spine=spine, side=side, knowledge=knowledge).answer(), sides))


def stored_name(group: FeatureGroup, feature: Feature) -> str | None:
    """The column of the group's table that a feature is taken from; None when it is computed by the join."""
    if not group.of_events:
        return feature.name
    return None if feature.exact else next(iter(feature.columns()), None)


def merged(parts: Iterable[Joined]) -> Joined:
    """Answers to the same spine rows from disjoint sets of keys: at most one of them found something."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    whole: Joined | None = None
    for part in parts:
        if whole is None:
            whole = part
        elif part.there.any():
            here = pa.array(part.there)
            columns = {name: pc.if_else(here, part.columns[name], old) for name, old in whole.columns.items()}
            whole = Joined(columns=columns, there=np.logical_or(whole.there, part.there))
    if whole is None:
        raise ValueError
    return whole


@dataclass(frozen=True)
class _Lookup:
    """One side while it is looked up."""

    spine: Spine
    side: Side
    knowledge: Knowledge

    def answer(self) -> Joined:
        features = self.side.selection.columns
        exact = {name: feature for name, feature in features.items() if feature.exact}
        columns: dict[str, pa.Array] = {}
        if len(exact) < len(features):
            found, positions = self._newest()
            found, positions = self.asked.spread(found), self.asked.spread(positions)
            for name, feature in features.items():
                if name not in exact:
                    take = self._age if feature.ages else self._taken
                    columns[name] = take(feature, found, positions)
        if exact:
            moments = self.asked.moments - self.delay
            results = windows(exact, self._events(), self.asked.codes, moments, self.group.types)  # type: ignore[arg-type]
            columns |= {name: self.asked.scattered(column, exact[name].absent) for name, column in results.items()}
        return Joined(columns={name: columns[name] for name in features}, there=self._there)

    @cached_property
    def asked(self) -> Questions:
        return self.spine.questions(self.side.selection)

    @cached_property
    def group(self) -> FeatureGroup:
        return self.side.selection.group

    @cached_property
    def _types(self) -> Mapping[str, Type]:
        return self.group.types

    @cached_property
    def rules(self) -> History:
        """Without time: every row is older than every moment."""
        return self.group.rules or History(ties="last")

    @cached_property
    def delay(self) -> int:
        return microseconds(self.rules.delay)

    @cached_property
    def codes(self) -> Whole:
        """(n,) the number of each row's key."""
        there = [self.side.rows[name] for name in self.side.selection.keys]
        return self.asked.keys.find(there, self.side.rows.num_rows)

    @cached_property
    def _there(self) -> NDArray[np.bool_]:
        """(m,) whether the group has any row of the key."""
        import numpy as np

        there = np.zeros(self.asked.keys.count + 1, bool)
        there[self.candidates.codes] = True
        found: NDArray[np.bool_] = there[self.asked.keys.codes]  # -1 is the last one, which no row has
        return found

    @cached_property
    def _ready(self) -> Times:
        """(n,) from when on a row can be used if it is known: bound and delay are in it."""
        if self.group.rules is None:
            return Times.always(self.side.rows.num_rows)
        times, later = Times.of(self.side.rows[EVENT_TIME]), self.delay + (self.rules.bound == "<")
        if not later:
            return times
        import numpy as np

        return Times(values=np.minimum(times.values, NEVER - later) + later, known=times.known)  # also after infinity

    def _column(self, name: str | None, null: int) -> Whole | None:
        """(n,) a column of times or whole numbers; `null` stands for null."""
        import numpy as np

        if name is None:
            return None
        column = self.side.rows[name]
        times = Times.of(column)
        return np.where(times.known, times.values, null) if column.null_count else times.values

    @cached_property
    def _created(self) -> Whole | None:
        return self._column(self.rules.created, ALWAYS)

    @cached_property
    def _lives(self) -> tuple[Whole | None, Whole | None]:
        """(n,) in which time each row was the truth, where that is said."""
        match self.rules.known:
            case Mutations(known_from=start, known_to=end):
                return self._column(start, ALWAYS), self._column(end, NEVER)
            case Committed() if not isinstance(self.knowledge, ValidTime):
                return self._column(KNOWN_FROM, ALWAYS), self._column(KNOWN_TO, NEVER)
        return None, None

    @cached_property
    def candidates(self) -> Candidates:
        """The rows that may ever answer, the last of each key wins."""
        import numpy as np

        codes, ready = self.codes, self._ready
        kept = (codes >= 0) & ready.known
        start, end = self._lives
        if isinstance(self.knowledge, AsOf):
            then = self.knowledge.microseconds
            if (created := self._column(self.rules.created, NEVER)) is not None:
                kept &= created <= then
            if start is not None and end is not None:
                kept &= (start <= then) & (then < end)
        elif isinstance(self.knowledge, PerRow) and (created := self._created) is not None:
            kept &= created > ALWAYS
        positions, times = np.arange(len(codes)), ready.values
        if not kept.all():
            positions = np.flatnonzero(kept)
            codes, times = codes[positions], times[positions]
        found = ordered(codes, times, positions, self.asked.keys.count)
        names = [name for f in self.side.selection.columns.values() if (name := stored_name(self.group, f))]
        apart = dict.fromkeys([*self.side.selection.keys, *([EVENT_TIME] if self.group.rules else []), *names])
        there = set(self.side.rows.column_names)
        refuse = Refusal(
            where=f"Feature group {self.group.name!r}",
            rows=self.side.rows.select([name for name in apart if name in there]),
            keys=(*self.group.keys, *([EVENT_TIME] if self.group.rules else [])),
        )
        created = self._created if start is None or isinstance(self.rules.known, Mutations) else start
        sequence = self._column(self.rules.sequence, ALWAYS)
        return settle(found, created, sequence, refuse if self.rules.ties == "error" else None)

    def _newest(self) -> tuple[NDArray[np.bool_], Whole]:
        """(m,) whether a row answers, and its position."""
        import numpy as np

        codes, moments = self.asked.codes, self.asked.moments
        start, end = self._lives
        candidates, short = self.candidates, None
        if end is not None and not isinstance(self.knowledge, AsOf):
            open_end = end[candidates.positions] == NEVER
            if not open_end.all():
                candidates, short = _split(candidates, open_end)
        learned = start if start is not None else self._created
        by_row = isinstance(self.knowledge, PerRow) and self.rules.created is not None
        if learned is not None and not isinstance(self.knowledge, AsOf) and (by_row or start is not None):
            candidates = known_newest(candidates, learned, self._ready.values)
        last = candidates.until(codes, moments)
        found = last > 0
        found[found] = candidates.codes[last[found] - 1] == codes[found]
        positions = np.zeros(len(codes), np.int64)
        positions[found] = candidates.positions[last[found] - 1]
        if short is not None and start is not None and end is not None:
            rank = np.empty(self.side.rows.num_rows, np.int64)
            rank[self.candidates.positions] = np.arange(len(self.candidates.positions))
            found, positions = newer(short, (start, end), rank, codes, moments, found, positions)
        return self._judged(found, positions), positions

    def _judged(self, found: NDArray[np.bool_], positions: Whole) -> NDArray[np.bool_]:
        """Drop answers that are too old, over, or tombstones: the newest row alone is judged."""
        import pyarrow as pa

        rules, moments = self.rules, self.asked.moments
        if rules.ttl is not None:
            found = found & (moments - self.delay - self._event_times(positions) <= microseconds(rules.ttl))
        if (over := self._column(rules.valid_to, NEVER)) is not None and len(over):
            found = found & (moments - self.delay < over[positions])
        if rules.tombstone is not None and self.side.rows.num_rows:
            gone = self.side.rows[rules.tombstone].take(pa.array(positions)).fill_null(pa.scalar(value=False))
            found = found & ~gone.to_numpy()
        return found

    def _event_times(self, positions: Whole) -> Whole:
        """Of these rows; anything if there are none."""
        if not self.side.rows.num_rows:
            return positions
        return self._ready.values[positions] - self.delay - (self.rules.bound == "<")

    def _taken(self, feature: Feature, found: NDArray[np.bool_], positions: Whole) -> pa.Array:
        import pyarrow as pa
        import pyarrow.compute as pc

        kind, name = arrow_type(feature.result(self._types)), stored_name(self.group, feature)
        if name is None:  # nothing is stored of it: that there is a row is all it says
            return pa.array(found)
        if not self.side.rows.num_rows:
            column = pa.nulls(len(found), kind)
        else:
            column = whole(self.side.rows[name]).take(pa.array(positions, mask=~found))
        if column.type != kind:
            column = column.cast(kind)
        if feature.absent is not None and not found.all():
            column = pc.if_else(pa.array(found), column, pa.scalar(feature.absent, kind))
        return column

    def _age(self, feature: Feature, found: NDArray[np.bool_], positions: Whole) -> pa.Array:
        import numpy as np
        import pyarrow as pa

        unit = microseconds(feature.unit)  # type: ignore[attr-defined]
        age = self.asked.spread(self.asked.moments) - self._event_times(positions)
        return pa.array(np.where(found, age, 0) / unit, mask=~found)

    def _events(self) -> Events:
        """The events that windows read; those that were not known at a row's moment are not visible to it."""
        import numpy as np

        found, shift = self.candidates, self.delay + (self.rules.bound == "<")
        times = found.times - shift if self.group.rules else found.times
        start, end = self._lives
        if isinstance(self.knowledge, AsOf):
            start = end = None
        elif isinstance(self.knowledge, PerRow) and start is None:
            start = self._created

        def visible(positions: Whole, moments: Whole) -> NDArray[np.bool_]:
            at = moments + self.delay
            known = np.ones(len(at), bool) if start is None else at >= start[positions]
            return known if end is None else known & (at < end[positions])

        return Events(
            found=Candidates.of(found.codes, times, found.positions, found.count),
            columns=self.side.rows,
            visible=visible if start is not None or end is not None else None,
        )


def _split(found: Candidates, chosen: NDArray[np.bool_]) -> tuple[Candidates, Candidates]:
    one, other = (
        Candidates.of(found.codes[mask], found.times[mask], found.positions[mask], found.count)
        for mask in (chosen, ~chosen)
    )
    return one, other
