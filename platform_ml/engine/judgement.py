"""What a delivered row must obey to be let in, as SQL that judges a whole file in one pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.engine.evident import SPELLED, triage_sql
from platform_ml.spec.schema import EXACT_NUMBERS, NUMBERS, Decimal, Text
from platform_ml.spec.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from platform_ml.spec.schema import Column
    from platform_ml.spec.source import Source

ROW_NUMBER = "file_row_number"
FAULTS, RECORD = "_faults", "_record"
"""Columns of a delivery that a format may add: what is wrong with a row, and the row as it was delivered."""


def judged_sql(
    source: Source, raw: str, *, delivered: Collection[str], span: tuple[datetime, datetime] | None = None
) -> str:
    """Every delivered row in the declared types, with the list of what is wrong with it.

    `delivered` are the columns of `raw`; `span` is the first and the last moment of the partition.
    """
    typed = _typed(source)
    values = ", ".join(f"{_cast(c, typed=typed)} AS {identifier(c.name)}" for c in source.columns)
    wrong, record = _wrong(source, delivered, span), _record(delivered)
    keys = ", ".join(map(identifier, source.key))
    repeated = literal(repeats(source))
    names = ", ".join(identifier(column.name) for column in source.columns)
    return f"""
WITH delivered AS (FROM {raw}),
judged AS (
    SELECT {ROW_NUMBER} AS _row, {wrong} AS _wrong, {record} AS _record, {values}
    FROM delivered AS _raw
),
counted AS (
    SELECT *, row_number() OVER (PARTITION BY len(_wrong) = 0, {keys} ORDER BY {_winner(source)}) AS _nth FROM judged
)
SELECT {names}, _row, CASE WHEN len(_wrong) > 0 OR _nth > 1 THEN _record END AS _record,
       CASE WHEN len(_wrong) = 0 AND _nth > 1 THEN [{repeated}] ELSE _wrong END AS _reasons
FROM counted ORDER BY _row"""


def triaged_sql(
    source: Source, raw: str, *, delivered: Mapping[str, str], span: tuple[datetime, datetime] | None = None
) -> str:
    """Every delivered row in the declared types with its number, in any order, and whether somebody has to look at it.

    `_doubt` is null where it is evident that a row is good. Elsewhere it is true, or the row as it was delivered where
    columns have no types of their own. `delivered` is column → DuckDB type.
    """
    faults = f"len(_raw.{FAULTS}) = 0" if FAULTS in delivered else ""
    steps, values, good = triage_sql(source, "delivered", delivered, span, faults=faults)
    named = ", ".join(f"{value} AS {identifier(c.name)}" for c, value in zip(source.columns, values, strict=True))
    doubt = "true" if _typed(source) else f"struct_pack({_own(delivered)})"
    return f"""
WITH delivered AS (FROM {raw}),{steps}
SELECT {named}, {ROW_NUMBER} AS _row, CASE WHEN {good} THEN NULL ELSE {doubt} END AS _doubt FROM triaged AS _raw"""


def refused_sql(
    source: Source, raw: str, *, delivered: Mapping[str, str], span: tuple[datetime, datetime] | None = None
) -> str:
    """What is wrong with those of the doubtful `rows` that are refused, and their records."""
    looked_at = (
        f"(FROM {raw} WHERE {ROW_NUMBER} IN (SELECT _row FROM rows))"
        if _typed(source)
        else f"(SELECT unnest(_doubt), _row AS {ROW_NUMBER} FROM rows)"
    )
    return f"""
SELECT _row, _reasons, _record FROM (
    SELECT {ROW_NUMBER} AS _row, {_wrong(source, delivered, span)} AS _reasons, {_record(delivered)} AS _record
    FROM {looked_at} AS _raw
) WHERE len(_reasons) > 0 ORDER BY _row"""


def repeated_sql(source: Source) -> str:
    """The numbers of those of the good `rows` that repeat the key of another one, which is kept."""
    keys = ", ".join(map(identifier, source.key))
    nth = f"row_number() OVER (PARTITION BY {keys} ORDER BY {_winner(source)})"
    return f"SELECT _row FROM rows QUALIFY {nth} > 1 ORDER BY _row"


def records_sql(raw: str, delivered: Collection[str], reason: str) -> str:
    """The delivered rows with the numbers that are in `rows`, refused for this reason, as `refused_sql` has others."""
    return f"""
SELECT {ROW_NUMBER} AS _row, [{literal(reason)}] AS _reasons, {_record(delivered)} AS _record
FROM {raw} AS _raw WHERE {ROW_NUMBER} IN (SELECT _row FROM rows) ORDER BY _row"""


def _wrong(source: Source, delivered: Collection[str], span: tuple[datetime, datetime] | None) -> str:
    """The list of what is wrong with a row."""
    typed = _typed(source)
    rules = ", ".join(
        f"CASE WHEN {wrong} THEN {literal(reason)} END" for c in source.columns for wrong, reason in _rules(c, typed)
    )
    if span and source.event_time:
        start, end = (literal(at.isoformat()) for at in span)
        time = _cast(source.column(source.event_time), typed=typed)
        outside = literal(outside_of(source))
        rules += f", CASE WHEN {time} NOT BETWEEN {start} AND {end} THEN {outside} END"
    wrong = f"list_filter([{rules}], lambda reason: reason IS NOT NULL)"
    return f"list_concat(_raw.{FAULTS}, {wrong})" if FAULTS in delivered else wrong


def _record(delivered: Collection[str]) -> str:
    return f"_raw.{RECORD}" if RECORD in delivered else f"to_json(struct_pack({_own(delivered)}))"


def _typed(source: Source) -> bool:
    """Whether columns are delivered in types of their own; those of a database are."""
    return source.format is None or source.format.typed


def _own(delivered: Collection[str]) -> str:
    return ", ".join(f"{identifier(name)} := _raw.{identifier(name)}" for name in delivered if name != ROW_NUMBER)


def taken_sql(source: Source) -> str:
    """The numbers of those of the good `rows` whose key is among `taken`."""
    names = ", ".join(map(identifier, source.key))
    return f"SELECT _row FROM rows SEMI JOIN taken USING ({names}) ORDER BY _row"


def outside_of(source: Source) -> str:
    """Why a row is not let in whose time belongs to another partition."""
    return f"{source.event_time} is outside of the partition"


def repeats_earlier(source: Source) -> str:
    """Why a good row is not let in when an earlier partition has its key."""
    return f"repeats the key ({', '.join(source.key)}) of a row of an earlier partition"


def repeats(source: Source) -> str:
    """Why a good row is not let in when another one has its key."""
    key = f"repeats the key ({', '.join(source.key)}) of"
    if source.keep_by:
        return f"{key} a row with the {source.keep} {source.keep_by}"
    return f"{key} {'an earlier' if source.keep == 'first' else 'a later'} row"


def _winner(source: Source) -> str:
    """The order of rows with the same key, the one that is kept first."""
    if source.keep_by:
        return f"{identifier(source.keep_by)} {'DESC' if source.keep == 'greatest' else 'ASC'} NULLS LAST, _row"
    return "_row" if source.keep == "first" else "_row DESC"


def exact_sql(source: Source) -> str:
    """How many of `repeated` are the row of `accepted` with their key over again, value for value."""
    key = " AND ".join(f"one.{name} = two.{name}" for name in map(identifier, source.key))
    same = " AND ".join(f"one.{name} IS NOT DISTINCT FROM two.{name}" for name in map(identifier, source.types))
    return f"SELECT count(*) AS n FROM repeated AS one JOIN accepted AS two ON {key} WHERE {same}"


def _cast(column: Column, *, typed: bool) -> str:
    raw = f"_raw.{identifier(column.name)}"
    cast = f"TRY_CAST({raw} AS {column.type.sql})"
    if typed or type(column.type) not in SPELLED:
        return cast
    return f"CASE WHEN regexp_full_match({raw}, {literal(SPELLED[type(column.type)])}) THEN {cast} END"


def _rules(column: Column, typed: bool) -> list[tuple[str, str]]:  # noqa: FBT001 - of one call
    """SQL of what a row may not be, and the reason that is kept with it."""
    raw, cast = f"_raw.{identifier(column.name)}", _cast(column, typed=typed)
    number = raw if typed else f"TRY_CAST({raw} AS DOUBLE)"
    rules = [(f"{raw} IS NOT NULL AND {cast} IS NULL", f"{column.name} is not a {column.type.sql}")]
    if not column.nullable:
        rules.append((f"{raw} IS NULL", f"{column.name} is null"))
    if isinstance(column.type, EXACT_NUMBERS):
        scale = column.type.scale if isinstance(column.type, Decimal) else 0
        more = (
            _rounded(raw, cast)
            if typed
            else rf"regexp_matches({raw}, '\.\d{{{scale}}}\d*[1-9]') AND {cast} IS NOT NULL"
        )
        rules.append((more, f"{column.name} has more than {scale} digits after the point"))
    if isinstance(column.type, NUMBERS):
        rules.append((f"NOT isfinite({number if typed else cast}::DOUBLE)", f"{column.name} is not a finite number"))
    if isinstance(column.type, Text) and not typed:
        rules.append((f"contains({raw}, chr(0))", f"{column.name} holds a NUL"))
    for bound, sign, word in ((column.minimum, "<", "below"), (column.maximum, ">", "above")):
        if bound is not None:
            beyond = f"{number} {sign} {bound!r}"
            beyond = beyond if typed else f"coalesce({cast} {sign} {bound!r}, {beyond})"
            rules.append((beyond, f"{column.name} is {word} {bound}"))
    if column.allowed is not None:
        allowed = ", ".join(map(literal, column.allowed))
        rules.append((f"{raw} NOT IN ({allowed})", f"{column.name} is none of {', '.join(column.allowed)}"))
    return rules


def _rounded(raw: str, cast: str) -> str:
    """Whether casting changed the number; binary fractions may be off by what their type cannot hold."""
    close = f"CASE typeof({raw}) WHEN 'FLOAT' THEN 1e-6 ELSE 1e-10 END * greatest(1, abs({raw}::DOUBLE))"
    binary = f"abs({raw}::DOUBLE - {cast}::DOUBLE) > {close}"
    return f"CASE WHEN typeof({raw}) IN ('FLOAT', 'DOUBLE') THEN {binary} ELSE {raw} <> {cast} END"
