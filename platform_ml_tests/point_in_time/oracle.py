"""What the right answer is: for every spine row and every table, look at all rows. Plain Python, no engine.

Decisions, where the rules leave room (u = t - offset is the moment a delayed table is read as of):

* t is the spine row's time; a table with a spine time of its own has its own t, for knowledge too.
* Candidates: the key matches; the event time is set, within the bound of u and within the look-back of u; the row is
  known.
* Known: `known_from` <= t < `known_to` where a table has them (null = open), also when no mode is asked for; `created`
  <= t per row. As of T, both are judged at T. A null `created` is never known in these two modes; a table without
  `created` is always known. t is not shifted by the offset: what was known is a matter of the row's own moment.
* The newest candidate alone is judged: event time, then created, sequence (null = oldest in both), then row position.
  If it is expired (TTL, of u), no longer valid (u < `valid_to`, null = open) or a tombstone, the features are null.
* TTL and look-back may both be given, and both hold; the look-back's two edges are inclusive.
* A table without event time, or any table for a spine without time, is looked up: the newest known row, no TTL, no
  look-back. In a spine with a time column, a row whose time is null gets nulls from every table that has an event time.
  Without t, nothing is known per row, and `known_from`, `known_to` and `valid_to` hold only where they are open.
* An aggregation is over the known rows of the key in a window that ends at u, after rounding down to `head_hop`; it
  begins `window` earlier, rounded down to `tail_hop`. Its interval says which edges count. Bound, TTL, look-back,
  `valid_to` and tombstone are rules of the newest row and do not apply. Nulls are left out; a NaN makes NaN of all but
  counts, of which it is one value; first and last go by the order of candidates. Over no rows, as for a spine row
  without time, counts are 0 and everything else is null.
"""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from platform_ml_tests.point_in_time.case import Aggregation, Case, Table

Row = dict[str, Any]


def answer(case: Case) -> list[Row]:
    """One row per spine row, in spine order: the spine's columns, then those of each table."""
    by_key = [rows_by_key(table) for table in case.tables]
    result = []
    for spine_row in case.spine:
        row = {column: spine_row.get(column) for column in case.columns}
        for table, rows in zip(case.tables, by_key, strict=True):
            row |= look_up(table, rows, spine_row)
        result.append(row)
    return result


def rows_by_key(table: Table) -> dict[tuple[Any, ...], list[tuple[int, Row]]]:
    """Only to be fast enough: the rows of each key with their positions, in the table's order."""
    found: dict[tuple[Any, ...], list[tuple[int, Row]]] = {}
    for position, row in enumerate(table.rows):
        found.setdefault(tuple(row.get(column) for column in table.keys.values()), []).append((position, row))
    return found


def look_up(table: Table, by_key: dict[tuple[Any, ...], list[tuple[int, Row]]], spine_row: Row) -> Row:
    key = tuple(spine_row.get(column) for column in table.keys)
    t = spine_row.get(table.spine_time) if table.spine_time is not None else None
    timed = table.event_time is not None and table.spine_time is not None
    nothing = (timed and t is None) or (None in key and table.policy.null_keys == "no_match")
    rows = [] if nothing else by_key.get(key, [])
    rows = [(position, row) for position, row in rows if known(table, row, t)]
    if table.event_time is not None:
        rows = [(position, row) for position, row in rows if row.get(table.event_time) is not None]
    u = t - table.offset if t is not None else None
    best = newest(table, [(position, row) for position, row in rows if not timed or in_reach(table, row, u)])
    if best is not None and not holds(table, best, u, timed=timed):
        best = None
    found = {name: None if best is None else best.get(column) for name, column in table.features.items()}
    if table.aggregations:
        rows = sorted(rows, key=lambda found: rank(table, *found))
    for name, aggregation in table.aggregations.items():
        found[name] = aggregate(aggregation, [row for _, row in rows if in_window(table, aggregation, row, u)])
    return found


def known(table: Table, row: Row, t: int | None) -> bool:
    until = table.policy.knowledge if isinstance(table.policy.knowledge, int) else t
    start = row.get(table.known_from) if table.known_from is not None else None
    end = row.get(table.known_to) if table.known_to is not None else None
    if start is not None and (until is None or until < start):
        return False
    if end is not None and (until is None or until >= end):
        return False
    if table.created is None or table.policy.knowledge is None:
        return True
    created = row.get(table.created)
    return created is not None and until is not None and created <= until


def in_reach(table: Table, row: Row, u: int) -> bool:
    event_time = row[table.event_time]
    if event_time > u or (event_time == u and table.policy.bound == "<"):
        return False
    if table.lookback is None:
        return True
    farthest, nearest = table.lookback
    return event_time <= u - nearest and (farthest is None or event_time >= u - farthest)


def newest(table: Table, rows: list[tuple[int, Row]]) -> Row | None:
    return max(rows, key=lambda found: rank(table, *found))[1] if rows else None


def rank(table: Table, position: int, row: Row) -> tuple[Any, ...]:
    """The total order of candidates; the greatest wins."""
    event_time = row[table.event_time] if table.event_time is not None else 0
    return (event_time, *null_first(row, table.created), *null_first(row, table.sequence), position)


def null_first(row: Row, column: str | None) -> tuple[bool, Any]:
    value = row.get(column) if column is not None else None
    return (value is not None, 0 if value is None else value)


def holds(table: Table, row: Row, u: int | None, *, timed: bool) -> bool:
    """Whether the newest row still says something about u."""
    if timed and table.ttl is not None:
        age = u - row[table.event_time]
        if age > table.ttl or (age == table.ttl and table.policy.ttl_edge == "exclusive"):
            return False
    end = row.get(table.valid_to) if table.valid_to is not None else None
    if end is not None and (u is None or u >= end):
        return False
    return not (table.tombstone is not None and row.get(table.tombstone))


def in_window(table: Table, aggregation: Aggregation, row: Row, u: int | None) -> bool:
    if table.event_time is None or u is None:
        return True
    event_time = row[table.event_time]
    head = u if aggregation.head_hop is None else u // aggregation.head_hop * aggregation.head_hop
    if event_time > head or (event_time == head and aggregation.interval[1] == ")"):
        return False
    if aggregation.window is None:
        return True
    tail = head - aggregation.window
    tail = tail if aggregation.tail_hop is None else tail // aggregation.tail_hop * aggregation.tail_hop
    return event_time > tail or (event_time == tail and aggregation.interval[0] == "[")


COUNTS = ("count", "distinct", "count_distinct", "nunique")


def aggregate(aggregation: Aggregation, rows: list[Row]) -> Any:
    """The number of SQL's aggregate of that name; std and variance are those of a sample (n - 1)."""
    column = aggregation.column
    values = [1 for _ in rows] if column is None else [row[column] for row in rows if row.get(column) is not None]
    distinct = {"NaN" if is_nan(value) else (type(value) is bool, value) for value in values}
    if aggregation.op in COUNTS:
        return len(values) if aggregation.op == "count" else len(distinct)
    if aggregation.op not in OPS:
        raise NotImplementedError(f"aggregation {aggregation.name!r}: op {aggregation.op!r}")
    return OPS[aggregation.op](values) if values else None


def is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def total(values: list[Any]) -> Any:
    return sum(values) if all(isinstance(value, int) for value in values) else math.fsum(values)


def least(values: list[Any]) -> Any:
    return math.nan if any(map(is_nan, values)) else min(values)


def most(values: list[Any]) -> Any:
    return math.nan if any(map(is_nan, values)) else max(values)


def variance(values: list[Any]) -> float | None:
    if len(values) < 2:
        return None
    if any(is_nan(value) for value in values):
        return math.nan
    return float(statistics.variance(map(float, values)))


def deviation(values: list[Any]) -> float | None:
    square = variance(values)
    return None if square is None else math.sqrt(square)


OPS = {
    "sum": total,
    "avg": lambda values: total(values) / len(values),
    "mean": lambda values: total(values) / len(values),
    "min": least,
    "max": most,
    "first": lambda values: values[0],
    "last": lambda values: values[-1],
    "std": deviation,
    "stddev": deviation,
    "var": variance,
    "variance": variance,
}
