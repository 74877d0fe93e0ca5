"""What a join is given, made alike: plain columns, moments in UTC microseconds, keys of one type; or refused."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from platform_ml.spec.errors import RowsError, did_you_mean
from platform_ml.spec.feature_group import EVENT_TIME

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pyarrow as pa

    from platform_ml.engine.point_in_time import Side
    from platform_ml.spec.feature_group import Selection

FAR = 1 << 61
"""Moments beyond, 73,000 years from 1970, count as this one: infinity, which may be moved without leaving 64 bits."""


def prepared(spine: pa.Table, sides: Sequence[Side]) -> tuple[pa.Table, list[Side]]:
    """The same tables in the form that is searched; those of `spine`'s columns that no side reads stay as they are.

    Raises:
        RowsError: a column is missing, shadowed, or cannot be compared: moments without a zone, keys of other types.
    """
    names = set(spine.column_names)
    for side in sides:
        for name in side.selection.columns:
            if name in names:
                raise RowsError(f"{_where(side)}: there is a column {name!r} already. Give the role a prefix.")
            names.add(name)
    keys = {name: _where(side) for side in sides for name in side.selection.keys.values()}
    times = {side.selection.at or EVENT_TIME: _where(side) for side in sides if side.selection.group.rules}
    for name, where in keys.items():
        given = _columns(where, "label rows", spine, [name])[name]
        spine = _with(spine, name, given, _key(given))
    for name, where in times.items():
        given = _columns(where, "label rows", spine, [name])[name]
        spine = _with(spine, name, given, _moments(f"{where}, label rows", name, given))
    return spine, [replace(side, rows=_rows(_where(side), side.selection, side.rows, spine)) for side in sides]


def _where(side: Side) -> str:
    return f"Feature group {side.selection.group.name!r}"


def _rows(where: str, selection: Selection, rows: pa.Table, spine: pa.Table) -> pa.Table:
    group, features = selection.group, selection.columns.values()
    rules = group.rules
    stored = [name for f in features for name in (f.columns() if group.of_events else (f.name,))]
    read = [*selection.keys, *((EVENT_TIME, *rules.columns) if rules else ()), *stored]
    moments = {EVENT_TIME, *rules.times} if rules else set()
    for name, given in _columns(where, "rows", rows, read).items():
        column = _plain(given)
        if name in selection.keys:
            column = _alike(where, name, _key(column), spine[selection.keys[name]].type)
        if name in moments:
            column = _moments(where, name, column)
        rows = _with(rows, name, given, column)
    return rows


def _with(table: pa.Table, name: str, given: pa.ChunkedArray, column: pa.ChunkedArray) -> pa.Table:
    return table if column is given else table.set_column(table.column_names.index(name), name, column)


def _columns(where: str, what: str, table: pa.Table, names: Iterable[str]) -> dict[str, pa.ChunkedArray]:
    """These columns, each once."""
    known = Counter(table.column_names)
    for name in names:
        if name not in known:
            raise RowsError(f"{where}: the {what} have no column {name!r}.{did_you_mean(name, known)}")
        if known[name] > 1:
            raise RowsError(f"{where}: the {what} have several columns {name!r}. Drop all but one.")
    return {name: table[name] for name in names}


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Without a dictionary."""
    import pyarrow as pa

    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _key(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whole numbers of 64 bits; floats whose equals are equal bit by bit."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = _plain(column)
    if pa.types.is_integer(column.type) and column.type != pa.int64():
        return column.cast(pa.int64())
    if pa.types.is_string_view(column.type):
        return column.cast(pa.string())
    if pa.types.is_floating(column.type):
        column = pc.add(column.cast(pa.float64()), 0.0)  # of two zeros one
        return pc.if_else(pc.is_nan(column), float("nan"), column)
    return column


def _alike(where: str, name: str, column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    import pyarrow as pa

    def text(kind: pa.DataType) -> bool:
        return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))

    if column.type == wanted:
        return column
    if text(column.type) and text(wanted):
        return column.cast(wanted)
    raise RowsError(f"{where}: key {name!r} is {column.type}, but {wanted} in the label rows. Give both the same type.")


def _moments(where: str, name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """UTC microseconds; what is finer is refused, since rounding would let rows be seen too early."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind, wanted = column.type, pa.timestamp("us", tz="UTC")
    if not pa.types.is_timestamp(kind) or kind.tz is None:
        raise RowsError(f"{where}: {name!r} is {kind}, which is no moment. Give it as a timestamp with a time zone.")
    try:
        column = column if kind == wanted else column.cast(wanted)
    except pa.ArrowInvalid as error:
        raise RowsError(f"{where}: {name!r} is {kind}; not all of it fits whole microseconds. Round it.") from error
    span = pc.min_max(column.cast(pa.int64()))
    least, most = span["min"].as_py(), span["max"].as_py()
    if least is None or (least >= -FAR and most <= FAR):
        return column
    numbers = column.cast(pa.int64())
    return pc.max_element_wise(pc.min_element_wise(numbers, FAR, skip_nulls=False), -FAR, skip_nulls=False).cast(wanted)
