"""A case file as typed values: times are UTC microseconds, and a key that this page does not know is refused.

Format of a file, one JSON object:

    { id, kind: pit | window_agg, title, origin, peers?, notes?, expected_source?,
      spine: {event_time: column | null, rows: [...]},
      tables: [{name, rows, keys: {spine column: table column}, event_time: column | null, created?, sequence?,
                features: [column | {from, as}], prefix?, ttl_seconds?, lookback: {start, end}?, valid_to?, tombstone?,
                offset_seconds?, spine_event_time?, policy?, aggregations?, known_from?, known_to?}],
      policy: {bound: "<=" | "<", ttl_edge: inclusive | exclusive, null_keys: no_match | match,
               knowledge: null | "row" | {as_of: time}},
      expected: [one row per spine row, in spine order] }

An aggregation is {name, op, column?, window_seconds?, tail_hop_seconds?, head_hop_seconds?, interval?}. Times are ISO
8601 (no offset = UTC), dates (midnight UTC) or epoch milliseconds. A table's policy overrides the file's, key by key.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INTERVALS = ("[)", "(]", "[]", "()")
PROSE = ("title", "origin", "peers", "notes", "expected_source")


class CaseError(Exception):
    """A case file says something that this suite does not understand."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How one table is matched; `knowledge` is None, "row" or the one moment of the whole dataset."""

    bound: str = "<="
    ttl_edge: str = "inclusive"
    null_keys: str = "no_match"
    knowledge: str | int | None = None


@dataclass(frozen=True, kw_only=True)
class Aggregation:
    """One number over the rows of a window that ends at the spine row's time; `window` None = from the beginning."""

    name: str
    op: str
    column: str | None
    window: int | None
    tail_hop: int | None
    head_hop: int | None
    interval: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """One feature table and how it is joined; durations in microseconds, `lookback` as (farthest, nearest)."""

    name: str
    rows: tuple[dict[str, Any], ...]
    keys: dict[str, str]
    event_time: str | None
    created: str | None
    sequence: str | None
    features: dict[str, str]
    aggregations: dict[str, Aggregation]
    ttl: int | None
    lookback: tuple[int | None, int] | None
    valid_to: str | None
    tombstone: str | None
    known_from: str | None
    known_to: str | None
    offset: int
    spine_time: str | None
    policy: Policy
    prefix: str = ""

    @property
    def time_columns(self) -> set[str]:
        """The columns of the table that hold moments."""
        named = (self.event_time, self.created, self.valid_to, self.known_from, self.known_to)
        return {column for column in named if column is not None}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One question and its answer; `columns` are the columns of the answer, `times` those of them that hold moments."""

    id: str
    kind: str
    event_time: str | None
    spine: tuple[dict[str, Any], ...]
    tables: tuple[Table, ...]
    expected: tuple[dict[str, Any], ...] | None
    columns: tuple[str, ...]
    times: frozenset[str]


def load(path: Path) -> Case:
    """The case of one file."""
    return parse(json.loads(path.read_text(encoding="utf-8")))


def parse(raw: dict[str, Any]) -> Case:
    """The case of one JSON object; `expected` may be missing, so that a generator can ask the oracle for it."""
    where = f"case {raw.get('id')!r}"
    take(raw, where, {"id", "kind", "spine", "tables", "policy", "expected", *PROSE}, {"id", "kind", "spine", "tables"})
    one_of(raw["kind"], f"{where}: kind", ("pit", "window_agg"))
    take(raw["spine"], f"{where}: spine", {"event_time", "rows"}, {"event_time", "rows"})
    event_time = raw["spine"]["event_time"]
    policy = raw.get("policy") or {}
    tables = tuple(parse_table(table, where, event_time, policy) for table in raw["tables"])
    spine_times = {time for time in (event_time, *(t.spine_time for t in tables)) if time is not None}
    spine = rows_with_times(raw["spine"]["rows"], spine_times)
    known = columns_of(spine, f"{where}: spine", {*spine_times, *(c for t in tables for c in t.keys)})
    made = {name: column in t.time_columns for t in tables for name, column in t.features.items()}
    made |= {name: False for t in tables for name in t.aggregations}
    if len(made) != sum(len(t.features) + len(t.aggregations) for t in tables) or set(made) & set(known):
        raise CaseError(f"{where}: two columns of the answer have one name: {sorted(made)} and {known} of the spine.")
    times = frozenset(spine_times | {name for name, is_time in made.items() if is_time})
    expected = raw.get("expected")
    return Case(
        id=raw["id"],
        kind=raw["kind"],
        event_time=event_time,
        spine=spine,
        tables=tables,
        expected=None if expected is None else rows_with_times(expected, times),
        columns=(*known, *made),
        times=times,
    )


TABLE = {
    *("name", "rows", "keys", "event_time", "created", "sequence", "features", "prefix", "ttl_seconds", "lookback"),
    *(
        "valid_to",
        "tombstone",
        "offset_seconds",
        "spine_event_time",
        "policy",
        "aggregations",
        "known_from",
        "known_to",
    ),
}


def parse_table(raw: dict[str, Any], case: str, spine_time: str | None, policy: dict[str, Any]) -> Table:
    where = f"{case}: table {raw.get('name')!r}"
    take(raw, where, TABLE, {"name", "rows", "keys", "event_time"})
    prefix = raw.get("prefix") or ""
    features = {}
    for feature in raw.get("features") or []:
        if isinstance(feature, dict):
            take(feature, f"{where}: feature", {"from", "as"}, {"from", "as"})
        source, name = (feature, feature) if isinstance(feature, str) else (feature["from"], feature["as"])
        if prefix + name in features:
            raise CaseError(f"{where} has two features {name!r}.")
        features[prefix + name] = source
    aggregations = [parse_aggregation(item, where) for item in raw.get("aggregations") or []]
    ttl = microseconds(raw.get("ttl_seconds"))
    if ttl is not None and ttl < 0:
        raise CaseError(f"{where}: ttl_seconds {raw['ttl_seconds']} is negative.")
    table = Table(
        name=raw["name"],
        rows=(),
        keys=raw["keys"],
        event_time=raw["event_time"],
        created=raw.get("created"),
        sequence=raw.get("sequence"),
        features=features,
        aggregations={prefix + aggregation.name: aggregation for aggregation in aggregations},
        ttl=ttl,
        lookback=parse_lookback(raw.get("lookback"), where),
        valid_to=raw.get("valid_to"),
        tombstone=raw.get("tombstone"),
        known_from=raw.get("known_from"),
        known_to=raw.get("known_to"),
        offset=microseconds(raw.get("offset_seconds")) or 0,
        spine_time=raw.get("spine_event_time") or spine_time,
        policy=parse_policy(policy | (raw.get("policy") or {}), where),
        prefix=prefix,
    )
    rows = rows_with_times(raw["rows"], table.time_columns)
    used = (table.sequence, table.tombstone, *(aggregation.column for aggregation in aggregations))
    named = {*table.time_columns, *table.keys.values(), *features.values(), *(c for c in used if c is not None)}
    columns_of(rows, where, named)
    return Table(**{**table.__dict__, "rows": rows})


def parse_aggregation(raw: dict[str, Any], table: str) -> Aggregation:
    where = f"{table}: aggregation {raw.get('name')!r}"
    allowed = {"name", "op", "column", "window_seconds", "tail_hop_seconds", "head_hop_seconds", "interval"}
    take(raw, where, allowed, {"name", "op"})
    return Aggregation(
        name=raw["name"],
        op=raw["op"],
        column=raw.get("column"),
        window=microseconds(raw.get("window_seconds")),
        tail_hop=microseconds(raw.get("tail_hop_seconds")) or None,
        head_hop=microseconds(raw.get("head_hop_seconds")) or None,
        interval=one_of(raw.get("interval") or "[)", f"{where}: interval", INTERVALS),
    )


def parse_policy(raw: dict[str, Any], where: str) -> Policy:
    where = f"{where}: policy"
    take(raw, where, {"bound", "ttl_edge", "null_keys", "knowledge"}, set())
    knowledge = raw.get("knowledge")
    if isinstance(knowledge, dict):
        take(knowledge, f"{where}: knowledge", {"as_of"}, {"as_of"})
        knowledge = moment(knowledge["as_of"])
    else:
        one_of(knowledge, f"{where}: knowledge", (None, "row"))
    return Policy(
        bound=one_of(raw.get("bound") or "<=", f"{where}: bound", ("<=", "<")),
        ttl_edge=one_of(raw.get("ttl_edge") or "inclusive", f"{where}: ttl_edge", ("inclusive", "exclusive")),
        null_keys=one_of(raw.get("null_keys") or "no_match", f"{where}: null_keys", ("no_match", "match")),
        knowledge=knowledge,
    )


def parse_lookback(raw: dict[str, Any] | None, where: str) -> tuple[int | None, int] | None:
    """How far back the farthest and the nearest row may lie; either sign is read as "before the spine row's time"."""
    if raw is None:
        return None
    take(raw, f"{where}: lookback", {"start", "end"}, set())
    start, end = microseconds(raw.get("start")), abs(microseconds(raw.get("end")) or 0)
    return (None, end) if start is None else (max(abs(start), end), min(abs(start), end))


def take(raw: dict[str, Any], where: str, allowed: set[str], needed: set[str]) -> None:
    if not isinstance(raw, dict):
        raise CaseError(f"{where} is {type(raw).__name__}, not an object.")
    if unknown := sorted(raw.keys() - allowed):
        raise CaseError(f"{where}: unknown keys {unknown}. Known: {sorted(allowed)}.")
    if missing := sorted(needed - raw.keys()):
        raise CaseError(f"{where}: misses {missing}.")


def one_of(value: Any, where: str, allowed: tuple[Any, ...]) -> Any:
    if value not in allowed:
        raise CaseError(f"{where} is {value!r}, not one of {allowed}.")
    return value


def columns_of(rows: tuple[dict[str, Any], ...], where: str, named: set[str]) -> tuple[str, ...]:
    """The columns of the rows in their order; those named must be among them, unless there is no row to tell."""
    columns = tuple(dict.fromkeys(column for row in rows for column in row))
    if rows and (missing := sorted(named - set(columns))):
        raise CaseError(f"{where}: no row has {missing}.")
    return columns


def rows_with_times(rows: list[dict[str, Any]], times: set[str] | frozenset[str]) -> tuple[dict[str, Any], ...]:
    return tuple({name: moment(v) if name in times else v for name, v in row.items()} for row in rows)


def moment(value: Any) -> int | None:
    """UTC microseconds of an ISO text (no offset = UTC), a date (midnight UTC) or epoch milliseconds."""
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return round(value * 1000)
    if not isinstance(value, str):
        raise CaseError(f"{value!r} is no time.")
    try:
        read = datetime.fromisoformat(value)
    except ValueError as error:
        raise CaseError(f"{value!r} is no time: {error}.") from None
    return ((read if read.tzinfo else read.replace(tzinfo=UTC)) - EPOCH) // MICROSECOND


def microseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1_000_000)
