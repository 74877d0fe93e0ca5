"""Aggregations over exact windows at the moment of each label row, all windows of a group in one pass."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from platform_ml.engine.pairs import paired
from platform_ml.engine.schema import arrow_type
from platform_ml.spec.window import microseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.engine.candidates import Candidates
    from platform_ml.features.windowed import Windowed
    from platform_ml.spec.aggregation import Takes
    from platform_ml.spec.schema import Type

    Whole = NDArray[np.int64]

DIGITS = 18
"""Decimals up to here fit 64 bits."""
EXACT = 1 << 62
"""Sums of whole numbers below this are exact."""


@dataclass(frozen=True, kw_only=True)
class Events:
    """The events of a group in order, and which of them a label row may see."""

    found: Candidates
    """Ordered by key and event time."""
    columns: pa.Table
    """What aggregations read, of all rows of the group."""
    visible: Callable[[Whole, Whole], NDArray[np.bool_]] | None
    """(positions, moments) → whether the event is known at the moment; None: all are."""


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """The events in the windows of `n` label rows; `platform_ml.spec.aggregation.Segments` says what each part is."""

    values: NDArray[Any]
    scale: float
    counts: Whole
    window_seconds: float | None
    ages: Whole
    """(m,) microseconds before the row's moment."""

    @cached_property
    def seconds(self) -> NDArray[np.float64]:
        """How long before its row's moment an event happened."""
        return self.ages / 1e6

    @cached_property
    def _some(self) -> NDArray[np.bool_]:
        return self.counts > 0

    @cached_property
    def _starts(self) -> Whole:
        """Where the events of each row that has any begin: between two of them lie those of the first."""
        import numpy as np

        return (np.cumsum(self.counts) - self.counts)[self._some]

    def _reduce(self, ufunc: Any, values: NDArray[Any]) -> NDArray[Any]:
        import numpy as np

        found = np.zeros(len(self.counts), values.dtype)
        if len(values):
            found[self._some] = ufunc.reduceat(values, self._starts)
        return found

    def add(self, values: NDArray[Any]) -> NDArray[Any]:
        """Sums: of whole numbers exact below 2 ** 62, above that as floats, row by row whatever the other rows are."""
        import numpy as np

        if values.dtype != np.int64:
            return self._reduce(np.add, values)
        greatest = max(int(values.max(initial=0)), -int(values.min(initial=0)))
        exact = self._reduce(np.add, values)
        if greatest * int(self.counts.max(initial=0)) < EXACT // 2:
            return exact
        rounded = self._reduce(np.add, values.astype(np.float64))
        return np.where(np.abs(rounded) < EXACT, exact.astype(np.float64), rounded)

    def least(self, values: NDArray[Any]) -> NDArray[Any]:
        """Smallest ones."""
        import numpy as np

        return self._reduce(np.minimum, values)

    def most(self, values: NDArray[Any]) -> NDArray[Any]:
        """Greatest ones."""
        import numpy as np

        return self._reduce(np.maximum, values)

    def spread(self, rows: NDArray[Any]) -> NDArray[Any]:
        """The value of its row for each event."""
        import numpy as np

        return np.repeat(rows, self.counts)


def windows(
    features: Mapping[str, Windowed], events: Events, codes: Whole, moments: Whole, types: Mapping[str, Type]
) -> dict[str, pa.Array]:
    """Column of the view → (m,) results for keys and moments (UTC microseconds), best asked in their order."""
    import numpy as np
    import pyarrow as pa

    spans = {name: _span(feature, events.found, codes, moments) for name, feature in features.items()}
    first = np.minimum.reduce([span[0] for span in spans.values()])
    last = np.maximum.reduce([span[1] for span in spans.values()])
    inputs = {
        (feature.how.takes, column): _input(events, feature.how.takes, column)
        for feature in features.values()
        for column in feature.columns() or (None,)
    }
    parts: dict[str, list[pa.Array]] = {name: [] for name in features}
    for rows, row, event in paired(first, last):
        some = _Block.of(row, event, moments[rows], events)
        for name, feature in features.items():
            begin, end = (edge[rows] for edge in spans[name])
            parts[name].append(_result(feature, some, begin, end, inputs, events, types))
    return {
        name: pa.concat_arrays(found) if found else pa.array([], arrow_type(features[name].result(types)))
        for name, found in parts.items()
    }


@dataclass(frozen=True, kw_only=True)
class _Block:
    """Some label rows with all events of their longest windows."""

    rows: int
    row: Whole
    """(m,) the row of each pair."""
    event: Whole
    """(m,) the place of the event in the order."""
    ages: Whole
    known: NDArray[np.bool_] | None

    @classmethod
    def of(cls, row: Whole, event: Whole, moments: Whole, events: Events) -> _Block:
        at = moments[row]
        known = events.visible(events.found.positions[event], at) if events.visible else None
        return cls(rows=len(moments), row=row, event=event, ages=at - events.found.times[event], known=known)


def _result(
    feature: Windowed,
    some: _Block,
    begin: Whole,
    end: Whole,
    inputs: Mapping[tuple[Takes, str | None], _Input],
    events: Events,
    types: Mapping[str, Type],
) -> pa.Array:
    import numpy as np
    import pyarrow as pa

    column = next(iter(feature.columns()), None)
    given = inputs[feature.how.takes, column]
    used = (some.event >= begin[some.row]) & (some.event < end[some.row])
    if some.known is not None:
        used &= some.known
    if given.known is not None:
        used &= given.known[some.event]
    pairs = Pairs(
        values=given.values[some.event[used]],
        scale=given.scale,
        counts=np.bincount(some.row[used], minlength=some.rows).astype(np.int64),
        window_seconds=feature.window.total_seconds() if feature.window else None,
        ages=some.ages[used],
    )
    with np.errstate(invalid="ignore", over="ignore"):
        found, nothing = feature.how.compute(pairs), ~feature.how.defined(pairs)
    kind = arrow_type(feature.result(types))
    if feature.how.takes == "events":
        return _lists(found, feature.how.listed(pairs), pairs).cast(kind)
    if feature.how.of_nothing is not None:
        return pa.array(np.where(nothing, feature.how.of_nothing, found)).cast(kind)
    if feature.how.takes != "positions":
        return pa.array(found, mask=nothing).cast(kind)
    if nothing.all():
        return pa.nulls(len(nothing), kind)
    places = pa.array(events.found.positions[np.where(nothing, 0, found)], mask=nothing)
    return events.columns[column].combine_chunks().take(places).cast(kind)


def _lists(numbers: NDArray[np.float64], listed: NDArray[np.bool_], pairs: Pairs) -> pa.Array:
    """(n,) lists of those of (m,) numbers that are listed; null for a row without events."""
    import numpy as np
    import pyarrow as pa

    counts = pairs.add(listed.astype(np.int64))
    ends = pa.array(np.concatenate(([0], np.cumsum(counts))), pa.int32(), mask=np.append(counts == 0, [False]))
    return pa.ListArray.from_arrays(ends, pa.array(numbers[listed], mask=np.isnan(numbers[listed])))


@dataclass(frozen=True, kw_only=True)
class _Input:
    """A column in the order of the events."""

    values: NDArray[Any]
    scale: float
    known: NDArray[np.bool_] | None
    """Where it is not null; None: everywhere."""


def _input(events: Events, takes: str, column: str | None) -> _Input:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    count = len(events.found.positions)
    if takes == "events" and column is not None:
        given = _input(events, "numbers", column)
        numbers = given.values / given.scale
        return _Input(
            values=numbers if given.known is None else np.where(given.known, numbers, np.nan), scale=1.0, known=None
        )
    if column is None:
        return _Input(values=np.arange(count), scale=1.0, known=None)
    ordered = events.columns[column].take(pa.array(events.found.positions)).combine_chunks()
    known = ordered.is_valid().to_numpy(zero_copy_only=False) if ordered.null_count else None
    if takes == "positions":
        return _Input(values=np.arange(count), scale=1.0, known=known)
    if takes == "codes":
        if pa.types.is_floating(ordered.type):  # as numbers, not as bits: there are two zeros, and many NaN
            codes = np.unique(ordered.fill_null(0.0).to_numpy(), return_inverse=True)[1]
        else:
            codes = ordered.dictionary_encode(null_encoding="encode").indices.to_numpy()
        return _Input(values=codes.astype(np.int64), scale=1.0, known=known)
    kind = ordered.type
    if pa.types.is_decimal(kind) and kind.precision <= DIGITS:
        # The lower half of 128 bits holds the number.
        whole = pc.fill_null(ordered, 0).cast(pa.decimal128(kind.precision, kind.scale))
        halves = np.frombuffer(whole.buffers()[1], np.int64)[2 * whole.offset :][: 2 * len(whole) : 2]
        return _Input(values=halves, scale=10.0**kind.scale, known=known)
    if pa.types.is_integer(kind):
        return _Input(values=ordered.fill_null(0).to_numpy().astype(np.int64), scale=1.0, known=known)
    return _Input(values=ordered.cast(pa.float64()).fill_null(0.0).to_numpy(), scale=1.0, known=known)


def _span(feature: Windowed, found: Candidates, codes: Whole, moments: Whole) -> tuple[Whole, Whole]:
    """(m,) the places of the first event of each row's window and of the first one after it."""
    import numpy as np

    end = _floor(moments, feature.head_hop)
    # Times are whole microseconds: before x means until x - 1.
    stop = found.until(codes, end if feature.edges.endswith("]") else end - 1)
    if feature.window is None:
        start = found.starts[codes]
    else:
        begin = _floor(end - microseconds(feature.window), feature.tail_hop)
        start = found.until(codes, begin - 1 if feature.edges.startswith("[") else begin)
    return start, np.maximum(start, stop)


def _floor(moments: Whole, hop: timedelta | None) -> Whole:
    return moments if hop is None else moments - moments % microseconds(hop)
