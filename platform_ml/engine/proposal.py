"""What a CSV file seems to be: columns with types, key, entity, event time and days, or what has to be said of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform_ml.spec.errors import PlatformError
from platform_ml.spec.naming import NAME, check_known, check_name
from platform_ml.spec.schema import DIGITS, Boolean, Column, Decimal, Double, Integer, Text, Timestamp
from platform_ml.spec.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from pathlib import Path

    from platform_ml.engine.ports import Compute
    from platform_ml.spec.schema import Type

SHAPES = {
    "integer": r"-?(0|[1-9]\d{0,17})",
    "decimal": r"-?(0|[1-9]\d*)(\.\d{1,6})?",
    "double": r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?",
    "boolean": r"(true|false)",
    "moment": r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?)?",
    "day_or_month_first": r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}.*",
}
"""What every value of a column has to look like to be of a type: a code like 007 is text."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What is known of a column of text."""

    name: str
    values: int
    nulls: int
    distinct: int
    shapes: frozenset[str]
    whole_digits: int
    fraction_digits: int


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a user has said of the file; None: it is to be found."""

    key: tuple[str, ...] | None = None
    entity: str | None = None
    event_time: str | None = None


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A file as a source of events."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    entity: str
    event_time: str
    first: date
    last: date
    relation: str
    """SQL of its rows, as text."""

    def of(self, *types: type[Type]) -> list[str]:
        """The columns of some types that say something of an event: no keys, entities or times."""
        said = {*self.key, self.entity, self.event_time}
        return [one.name for one in self.columns if isinstance(one.type, types) and one.name not in said]


def propose(file: Path, asked: Asked, compute: Compute) -> Proposal:
    """Read the whole file once; `PlatformError` where two readings are possible, with the option that decides."""
    if not file.is_file():
        raise PlatformError(f"{file} is not there. Name a CSV file with a header.")
    name = re.sub(r"[^a-z0-9]+", "_", file.stem.lower()).strip("_")
    relation = _relation(file, compute)
    seen = _seen(file, relation, compute)
    event_time = _event_time(file, seen, asked)
    key = _key(file, seen, asked, event_time, relation, compute)
    entity = _entity(file, seen, asked, (*key, event_time))
    (span,) = _rows(
        f"SELECT min({_moment(event_time)})::DATE AS first, max({_moment(event_time)})::DATE AS last FROM {relation}",
        compute,
    )
    return Proposal(
        name=name if NAME.fullmatch(name) else "events",
        columns=tuple(_column(one, needed={*key, entity, event_time}) for one in seen),
        key=key,
        entity=entity,
        event_time=event_time,
        first=span["first"],
        last=span["last"],
        relation=relation,
    )


def _relation(file: Path, compute: Compute) -> str:
    """Every value as text: DuckDB finds out how the file is written, and guesses no types."""
    (found,) = _rows(f"SELECT * FROM sniff_csv({literal(str(file))}, sample_size = -1)", compute)
    if not found["HasHeader"]:
        raise PlatformError(f"{file}: the first line names no columns. Write a header.")
    quote = '"' if found["Quote"] == "(empty)" else found["Quote"]
    types = ", ".join(f"{literal(column['name'])}: 'VARCHAR'" for column in found["Columns"])
    return (
        f"read_csv({literal(str(file))}, delim = {literal(found['Delimiter'])}, quote = {literal(quote)}, "
        f"escape = {literal(quote)}, header = true, nullstr = '', auto_detect = false, columns = {{{types}}})"
    )


def _seen(file: Path, relation: str, compute: Compute) -> list[Seen]:
    names = list(compute.query(f"FROM {relation}", {}).types())
    for name in names:
        check_name(f"{file.name}, column", name)
    parts = []
    for name in names:
        column = identifier(name)
        parts += [f"count({column})", f"count(*) - count({column})", f"count(DISTINCT {column})"]
        parts += [f"bool_and(regexp_full_match({column}, {literal(shape)}))" for shape in SHAPES.values()]
        parts += [
            f"max(length(regexp_extract({column}, '^-?(\\d+)', 1)))",
            f"max(length(regexp_extract({column}, '\\.(\\d+)$', 1)))",
        ]
    asked = ", ".join(f"{part} AS c{n}" for n, part in enumerate(parts))
    (row,) = _rows(f"SELECT {asked} FROM {relation}", compute)
    values, found, width = list(row.values()), [], 5 + len(SHAPES)
    for n, name in enumerate(names):
        there, nulls, distinct, *rest = values[n * width : (n + 1) * width]
        shapes = frozenset(shape for shape, fits in zip(SHAPES, rest, strict=False) if fits)
        found.append(
            Seen(
                name=name,
                values=there,
                nulls=nulls,
                distinct=distinct,
                shapes=shapes,
                whole_digits=rest[-2] or 0,
                fraction_digits=rest[-1] or 0,
            )
        )
    if not found or not found[0].values + found[0].nulls:
        raise PlatformError(f"{file} has no rows.")
    return found


def _event_time(file: Path, seen: list[Seen], asked: Asked) -> str:
    if asked.event_time is not None:
        check_known(file.name, "column", [asked.event_time], [one.name for one in seen])
        times = [one for one in seen if one.name == asked.event_time]
    else:
        times = [one for one in seen if "moment" in one.shapes]
    if turned := [one.name for one in times or seen if "day_or_month_first" in one.shapes]:
        raise PlatformError(
            f"{file.name}: nobody can tell day from month in {turned[0]!r}. Write times like 2024-12-31 or "
            "2024-12-31 23:59:59."
        )
    if len(times) != 1:
        raise PlatformError(
            f"{file.name}: "
            + ("no column is a time like 2024-12-31 23:59:59, so " if not times else f"{_or(times)} may be ")
            + ("nothing says what came first." if not times else "when it happened. Say --event-time COLUMN.")
        )
    if "moment" not in times[0].shapes or times[0].nulls:
        raise PlatformError(
            f"{file.name}: {times[0].name!r} is no event time: every row needs one, like 2024-12-31 23:59:59."
        )
    return times[0].name


def _key(
    file: Path, seen: list[Seen], asked: Asked, event_time: str, relation: str, compute: Compute
) -> tuple[str, ...]:
    if asked.key is not None:
        check_known(file.name, "column", asked.key, [one.name for one in seen])
        names = ", ".join(map(identifier, asked.key))
        (found,) = _rows(
            f"SELECT count(*) AS n, count(DISTINCT ({names})) AS apart, count(*) FILTER ("
            + " OR ".join(f"{identifier(name)} IS NULL" for name in asked.key)
            + f") AS empty FROM {relation}",
            compute,
        )
        if found["empty"] or found["n"] != found["apart"]:
            raise PlatformError(
                f"{file.name}: {', '.join(asked.key)} is no key: {found['n'] - found['apart']:,} rows repeat another, "
                f"{found['empty']:,} have none. Name columns that tell all rows apart."
            )
        return asked.key
    unique = [one for one in seen if one.name != event_time and not one.nulls and one.distinct == one.values]
    unique = [one for one in unique if isinstance(_type(one), Integer | Text)]
    if len(unique) == 1:
        return (unique[0].name,)
    said = f"each of {_or(unique)} is different in all rows" if unique else "no column is different in all rows"
    raise PlatformError(f"{file.name}: {said}. Say which columns tell rows apart: --key COLUMN or --key ONE,OTHER.")


def _entity(file: Path, seen: list[Seen], asked: Asked, taken: tuple[str, ...]) -> str:
    if asked.entity is not None:
        check_known(file.name, "column", [asked.entity], [one.name for one in seen])
        return asked.entity
    several = [one for one in seen if one.name not in taken and not one.nulls and 1 < one.distinct < one.values]
    several = [one for one in several if isinstance(_type(one), Integer | Text) and one.name.endswith("_id")]
    if len(several) == 1:
        return several[0].name
    said = f"{_or(several)} may be it" if several else "no other column that repeats ends with _id"
    raise PlatformError(f"{file.name}: of whom is anything to be predicted? {said}. Say --entity COLUMN.")


def _or(columns: Iterable[Seen]) -> str:
    return " or ".join(repr(one.name) for one in columns)


def _column(one: Seen, needed: set[str]) -> Column:
    return Column(one.name, _type(one), nullable=bool(one.nulls) and one.name not in needed)


def _type(one: Seen) -> Type:
    if not one.values:
        return Text()
    if "integer" in one.shapes:
        return Integer()
    precision = one.whole_digits + one.fraction_digits
    if "decimal" in one.shapes and precision <= DIGITS:
        return Decimal(min(DIGITS, max(9, precision + 2)), one.fraction_digits)
    if "double" in one.shapes:
        return Double()
    if "boolean" in one.shapes:
        return Boolean()
    return Timestamp() if "moment" in one.shapes else Text()


def _moment(name: str) -> str:
    return f"CAST({identifier(name)} AS TIMESTAMPTZ)"


def _rows(sql: str, compute: Compute) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = compute.query(sql, {}).table().to_pylist()
    return rows
