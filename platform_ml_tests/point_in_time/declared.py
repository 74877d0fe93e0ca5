"""A case as the project's declarations, and the engine's answer to it. The only page here that knows the engine.

Names of a case may be anything, those of declarations are lower_snake_case: columns are numbered here, and named back
in the answer. What a case says in another way than the declarations do:

* An exclusive TTL is one that is a microsecond shorter. A look-back is a delay (its near end) and a TTL (its far end).
* A table without event time is a reference, or a history from the first of times if it has rules of order or knowledge.
* A spine without time is read at the end of all times (before them, where a row has to be known at its own moment).
* A knowledge mode is a view of its own, a table that was given twice one group in two roles, a nested value JSON text.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from platform_ml import aggregations as how
from platform_ml.engine.point_in_time import Side, join
from platform_ml.engine.schema import arrow_type
from platform_ml.features import Field, Windowed
from platform_ml.formats import Parquet
from platform_ml.spec.event_label import Event, EventLabel
from platform_ml.spec.feature_group import EVENT_TIME, FeatureGroup, Selection
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.history import AsOf, History, Knowledge, Mutations, PerRow, ValidTime
from platform_ml.spec.schema import Boolean, Column, Double, Integer, Text, Timestamp, Type
from platform_ml.spec.source import Source
from platform_ml.spec.window import Daily
from platform_ml_tests.point_in_time.case import EPOCH, MICROSECOND, CaseError

if TYPE_CHECKING:
    from platform_ml.spec.aggregation import Aggregation
    from platform_ml_tests.point_in_time import case as cases
    from platform_ml_tests.point_in_time.case import Case

FIRST, EARLY, LATE = (int((datetime(year, 1, 1, tzinfo=UTC) - EPOCH) / MICROSECOND) for year in (2, 3, 9000))
AGGREGATIONS: dict[str, type[Aggregation]] = {
    "count": how.Count,
    "sum": how.Total,
    "avg": how.Mean,
    "mean": how.Mean,
    "min": how.Minimum,
    "max": how.Maximum,
    "std": how.Deviation,
    "stddev": how.Deviation,
    "distinct": how.Distinct,
    "count_distinct": how.Distinct,
    "nunique": how.Distinct,
    "first": how.First,
    "last": how.Last,
    "var": how.Variance,
    "variance": how.Variance,
}


def answer(case: Case, threads: int) -> list[dict[str, Any]]:
    """The engine's rows for a case, at a number of threads: one declared view for each knowledge mode, side by side."""
    spine = Spine.of(case)
    found = {name: values(spine.rows[column], spine.types[name]) for name, column in spine.names.items()}
    joins: list[tuple[Knowledge, Joined]] = []
    for number, table in enumerate(case.tables):
        earlier = next((n for n, other in enumerate(case.tables[:number]) if same_group(table, other, spine)), number)
        joins += [(knowledge(table), joined) for joined in declared(table, number, f"g{earlier}", spine)]
    modes = list(dict.fromkeys(mode for mode, _ in joins))
    for mode in modes:
        chosen = [joined for other, joined in joins if other == mode]
        view = FeatureView(
            name="asked",
            description="What a case asks for.",
            label=spine.label,
            features=tuple(joined.selection for joined in chosen),
            knowledge=mode,
        )
        sides = [
            Side(selection=selection, rows=joined.rows)
            for selection, joined in zip(view.selections, chosen, strict=True)
        ]
        result = join(spine.rows, sides, knowledge=view.knowledge, threads=threads)
        for joined in chosen:
            found |= {name: values(result[column], joined.types[name]) for name, column in joined.names.items()}
    return [{name: found[name][row] for name in case.columns} for row in range(len(case.spine))]


@dataclass(frozen=True)
class Json(Text):
    """Text that holds a value of any kind."""


def values(column: pa.ChunkedArray, kind: Type) -> list[Any]:
    """Plain Python; moments as microseconds."""
    cells = (column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column).to_pylist()
    return [None if cell is None else json.loads(cell) for cell in cells] if isinstance(kind, Json) else cells


@dataclass(frozen=True)
class Spine:
    """The label rows of a case: its columns as declared columns, and one more for each table that is only looked up."""

    rows: pa.Table
    names: dict[str, str]
    """Column of the case → of the label."""
    types: dict[str, Type]
    """Column of the case → its type, which the keys of the tables share."""
    label: EventLabel
    event_time: str | None

    @classmethod
    def of(cls, case: Case) -> Spine:
        columns = tuple(dict.fromkeys(column for row in case.spine for column in row))
        used = [column for table in case.tables for column in table.keys]
        names = {column: f"s{number}" for number, column in enumerate(dict.fromkeys([*columns, *used]))}
        types = {column: spine_type(case, column) for column in names}
        rows = {name: array([row.get(c) for row in case.spine], types[c]) for c, name in names.items()}
        carried: dict[str, Type] = {name: types[column] for column, name in names.items()}
        for number, table in enumerate(case.tables):
            rows[f"at{number}"] = array([moment_of(table, row) for row in case.spine], Timestamp())
            carried[f"at{number}"] = Timestamp()
        times = [row.get(case.event_time) if case.event_time else None for row in case.spine]
        rows[EVENT_TIME] = array(times, Timestamp())
        rows["row_id"] = array(list(range(len(case.spine))), Integer())
        return cls(rows=pa.table(rows), names=names, types=types, label=label_of(carried), event_time=case.event_time)


def label_of(carried: dict[str, Type]) -> EventLabel:
    needed = {"row_id": Integer(), "happened": Timestamp(), "result": Boolean(), "known_at": Timestamp()}
    return EventLabel(
        name="outcome",
        description="Nobody asks for it.",
        source=Source(
            name="spine",
            description="The rows to answer.",
            format=Parquet(),
            columns=(
                *(Column(name, kind) for name, kind in needed.items()),
                *(Column(name, kind, nullable=True) for name, kind in carried.items()),
            ),
            key=("row_id",),
            event_time="happened",
            cadence=Daily(first=date(2024, 1, 1)),
        ),
        entity="row_id",
        event=Event(value="result", known="known_at", horizon_days=1),
        carried=tuple(carried),
    )


def moment_of(table: cases.Table, row: dict[str, Any]) -> int | None:
    """As of when a table is read for a spine row."""
    at = row.get(table.spine_time) if table.spine_time is not None else None
    if at is not None or is_timed(table):
        return at
    return EARLY if table.created is not None and table.policy.knowledge == "row" else LATE


def is_timed(table: cases.Table) -> bool:
    return table.event_time is not None and table.spine_time is not None


def is_reference(table: cases.Table) -> bool:
    """Whether nothing but the key decides."""
    rules = (table.event_time, table.created, table.sequence, table.valid_to, table.tombstone, table.known_from)
    return not any((*rules, table.known_to, table.aggregations, table.policy.null_keys == "match"))


def knowledge(table: cases.Table) -> Knowledge:
    """A view's mode for a table; a table that does not record when its rows became known has none to be read as of."""
    mode, mutations = table.policy.knowledge, table.known_from is not None or table.known_to is not None
    if mode == "row":
        return PerRow()
    if mode is not None and (table.created is not None or mutations):
        return AsOf(moment=EPOCH + mode * MICROSECOND)
    return PerRow() if mutations else ValidTime()


def same_group(one: cases.Table, other: cases.Table, spine: Spine) -> bool:
    """Whether two tables differ in their role only."""
    if one is other or is_timed(one) != is_timed(other):
        return False
    if [spine.types[key] for key in one.keys] != [spine.types[key] for key in other.keys]:
        return False

    def apart(table: cases.Table) -> cases.Table:
        keys = dict(enumerate(table.keys.values()))
        features = dict(enumerate(table.features.values()))
        aggregations = dict(enumerate(table.aggregations.values()))
        role = {"name": "", "prefix": "", "spine_time": None}
        return replace(table, keys=keys, features=features, aggregations=aggregations, **role)

    return apart(one) == apart(other)


@dataclass(frozen=True, kw_only=True)
class Joined:
    """A selection of a group, the group's rows, and the answer's columns."""

    selection: Selection
    rows: pa.Table
    names: dict[str, str]
    """Column of the case → of the view."""
    types: dict[str, Type]
    """Column of the case → its type."""


def declared(table: cases.Table, number: int, group: str, spine: Spine) -> list[Joined]:
    """The groups of a table: one of picked values, and as few of windows as give each window a name of its own."""
    role = Role(table=table, number=number, spine=spine)
    parts = []
    if table.features:
        fields = {name: Field(of=role.column(c), called=f"f{n}") for n, (name, c) in enumerate(table.features.items())}
        parts.append(role.joined(group, fields, f"t{number}_"))
    layers: list[dict[str, Windowed]] = []
    for name, asked in table.aggregations.items():
        feature = windowed(asked, role, timed=is_timed(table))
        taken = [{other.name for other in layer.values()} for layer in layers]
        free = next((layer for layer, used in zip(layers, taken, strict=True) if feature.name not in used), None)
        if free is None:
            layers.append(free := {})
        free[name] = feature
    return parts + [role.joined(f"{group}_w{n}", layer, f"t{number}w{n}_") for n, layer in enumerate(layers)]


def windowed(asked: cases.Aggregation, role: Role, *, timed: bool) -> Windowed:
    if asked.op not in AGGREGATIONS:
        raise NotImplementedError(f"No aggregation is declared for {asked.op!r}.")
    of = {} if asked.column is None else {"of": role.column(asked.column, Double())}
    return Windowed(
        how=AGGREGATIONS[asked.op](**of),
        window=duration(asked.window) if timed else None,
        edges=asked.interval,  # type: ignore[arg-type]
        tail_hop=duration(asked.tail_hop),
        head_hop=duration(asked.head_hop),
    )


def duration(microseconds: int | None) -> timedelta | None:
    return None if microseconds is None else timedelta(microseconds=microseconds)


class Role:
    """One table on its way to a declaration."""

    def __init__(self, *, table: cases.Table, number: int, spine: Spine) -> None:
        self.table, self.number, self.spine = table, number, spine
        self.columns: dict[str, tuple[Type, list[Any]]] = {"position": (Integer(), list(range(len(table.rows))))}
        self.keys = {}
        for n, (there, column) in enumerate(table.keys.items()):
            self.columns[f"k{n}"] = (spine.types[there], self.cells(column))
            self.keys[f"k{n}"] = spine.names[there]

    def cells(self, column: str | None) -> list[Any]:
        return [row.get(column) for row in self.table.rows]

    def column(self, name: str, untold: Type | None = None) -> str:
        """The declared column of a payload; a moment becomes a whole number, as no feature may be a moment."""
        safe = f"c{sorted({c for row in self.table.rows for c in row} | {name}).index(name)}"
        self.columns[safe] = (type_of(self.cells(name), untold), self.cells(name))
        return safe

    def time(self, name: str, column: str | None, shift: int = 0) -> str | None:
        if column is None:
            return None
        cells = [None if at is None else at + shift for at in self.cells(column)]
        self.columns[name] = (Timestamp(), cells)
        return name

    def joined(self, group: str, features: dict[str, Any], prefix: str) -> Joined:
        table = self.table
        windows = any(feature.exact for feature in features.values())
        history = None if is_reference(table) else self.history(windows=windows)
        source = Source(
            name=f"{group}_rows",
            description="Rows of a case.",
            format=Parquet(),
            columns=tuple(Column(name, kind, nullable=name != "position") for name, (kind, _) in self.columns.items()),
            key=("position",),
        )
        declaration = FeatureGroup(
            name=group,
            description="A table of a case.",
            source=source,
            entity=tuple(self.keys),
            features=tuple(features.values()),
            history=history,
        )
        main = is_timed(table) and table.spine_time == self.spine.event_time
        at = None if history is None or main else f"at{self.number}"
        rows = pa.table({name: array(cells, kind) for name, (kind, cells) in self.columns.items()})
        if history is None:
            stored = {feature.name: rows[feature.of] for feature in features.values()}
            rows = pa.table({**{key: rows[key] for key in self.keys}, **stored})
        else:
            rows = rows.append_column(EVENT_TIME, rows[history.event_time])
            rows = rows.slice(0, 0) if self.never(windows=windows) else rows
        return Joined(
            selection=declaration.select(*(f.name for f in features.values())).role(prefix, on=self.keys, at=at),
            rows=rows,
            names={name: f"{prefix}{feature.name}" for name, feature in features.items()},
            types={name: feature.result(declaration.types) for name, feature in features.items()},
        )

    @property
    def near(self) -> int:
        return self.table.lookback[1] if self.table.lookback and is_timed(self.table) else 0

    def ttl(self) -> int | None:
        """How old a row may be at the moment that the near end of the look-back leaves."""
        table = self.table
        if not is_timed(table):
            return None
        age = None if table.ttl is None else table.ttl - (table.policy.ttl_edge == "exclusive")
        ends = [end for end in (age, table.lookback[0] if table.lookback else None) if end is not None]
        return min(ends) - self.near if ends else None

    def never(self, *, windows: bool) -> bool:
        """Whether no age is allowed at all, which a declaration cannot say."""
        ttl = self.ttl()
        return not windows and ttl is not None and ttl < 0

    def history(self, *, windows: bool) -> History:
        """The rules of the newest row; those that windows do not have are left out for them."""
        table, policy = self.table, self.table.policy
        if table.event_time is None:
            self.columns["event"] = (Timestamp(), [FIRST] * len(table.rows))
        else:
            self.time("event", table.event_time)
        known, created, sequence = self.order()
        ttl, near = (None, 0) if windows else (self.ttl(), self.near)
        over = None if windows else self.time("valid_to", table.valid_to, shift=-near)
        gone = None if windows or table.tombstone is None else "tombstone"
        if gone:
            self.columns[gone] = (Boolean(), [bool(cell) for cell in self.cells(table.tombstone)])
        return History(
            event_time="event",
            bound="<=" if near else policy.bound,  # type: ignore[arg-type]
            ttl=None if ttl is None or ttl < 0 else timedelta(microseconds=ttl),
            delay=timedelta(microseconds=(table.offset if is_timed(table) else 0) + near),
            created=created,
            sequence=sequence,
            known=known,
            valid_to=over,
            tombstone=gone,
            ties="last",
            match_null_keys=policy.null_keys == "match",
        )

    def order(self) -> tuple[Mutations | None, str | None, str | None]:
        """Knowledge, `created` and `sequence`; beside mutations, `created` only orders: it is part of the sequence."""
        table = self.table
        if table.known_from is None and table.known_to is None:
            return None, self.time("created", table.created), self.rank(table.sequence)
        if table.created is not None and table.policy.knowledge is not None:
            raise CaseError(f"table {table.name!r}: created and known_from/known_to both say when a row was known.")
        for name, column in {"known_from": table.known_from, "known_to": table.known_to}.items():
            self.columns[name] = (Timestamp(), self.cells(column))
        return Mutations(known_from="known_from", known_to="known_to"), None, self.rank(table.created, table.sequence)

    def rank(self, *columns: str | None) -> str | None:
        """A whole number that orders rows as the columns do, null first."""
        used = [column for column in columns if column is not None]
        if not used:
            return None
        cells = [tuple((row.get(c) is not None, row.get(c) or 0) for c in used) for row in self.table.rows]
        places = {cell: place for place, cell in enumerate(sorted(set(cells)))}
        nothing = tuple((False, 0) for _ in used)
        self.columns["rank"] = (Integer(), [None if cell == nothing else places[cell] for cell in cells])
        return "rank"


def spine_type(case: Case, column: str) -> Type:
    """The type of a spine column and of every key that is matched with it."""
    if column in case.times:
        return Timestamp()
    cells = [row.get(column) for row in case.spine]
    for table in case.tables:
        if column in table.keys:
            cells += [row.get(table.keys[column]) for row in table.rows]
    return type_of(cells)


def type_of(cells: list[Any], untold: Type | None = None) -> Type:
    """The one type of a column; text, or `untold`, where nothing tells."""
    kinds = {type(cell) for cell in cells if cell is not None}
    if not kinds:
        return untold or Text()
    for allowed, kind in (({bool}, Boolean()), ({int}, Integer()), ({int, float}, Double()), ({str}, Text())):
        if kinds <= allowed:
            return kind
    return Json()


def array(cells: list[Any], kind: Type) -> pa.Array:
    if isinstance(kind, Timestamp):
        return pa.array(cells, pa.int64()).cast(arrow_type(kind))
    if isinstance(kind, Json):
        cells = [None if cell is None else json.dumps(cell) for cell in cells]
    return pa.array(cells, arrow_type(kind), from_pandas=False)
