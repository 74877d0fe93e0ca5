"""Cheap SQL that sees that a delivered row is good: it may miss one, but never takes a bad one for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.spec.schema import EXACT_NUMBERS, Boolean, Decimal, Double, Integer, Text, Timestamp
from platform_ml.spec.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from platform_ml.spec.schema import Column
    from platform_ml.spec.source import Source

NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)"
SPELLED = {
    Integer: NUMBER,
    Decimal: NUMBER,
    Double: rf"{NUMBER}([eE][+-]?\d+)?|(?i)[+-]?(nan|inf|infinity)",
    Boolean: "(?i)true|false|t|f|1|0",
    Timestamp: r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?)? ?(Z|[+-]\d\d(:?\d\d)?)?",
}
"""How a value of a type is written in text; DuckDB alone would also read 1_000, 0x1f, yes and epoch."""
PLAIN_TIME = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?Z?"
CALENDAR = "'0001-01-01' AND '9999-12-31 23:59:59.999999'"
CLOSE = 1e-10
"""What a binary fraction may be off by, whatever its size."""


def triage_sql(
    source: Source, given: str, delivered: Mapping[str, str], span: tuple[datetime, datetime] | None, *, faults: str
) -> tuple[str, list[str], str]:
    """Two steps of SQL after the relation `given`, the second called `triaged`, and what to find in it.

    Returns the steps, the values in the declared types, and whether it is evident that a row is good. `delivered` is
    column → DuckDB type; `faults` is a condition that a row must obey beside, or empty.
    """
    typed = source.format is None or source.format.typed
    names = [_free(f"value_{n}", delivered) for n in range(len(source.columns))]
    raws = [f"_raw.{identifier(column.name)}" for column in source.columns]
    both = list(zip(source.columns, raws, names, strict=True))
    casts = ", ".join(f"{_cast(column, raw, typed=typed)} AS {name}" for column, raw, name in both)
    times = ", ".join(
        f"{_time(raw, f'_raw.{name}')} AS {name}" for column, raw, name in both if _is_text_time(column, typed=typed)
    )
    replaced = f" REPLACE ({times})" if times else ""
    steps = f"""
cast_once AS (SELECT *, {casts} FROM {given} AS _raw),
triaged AS (SELECT *{replaced} FROM cast_once AS _raw)"""
    values = [f"_raw.{name}" for name in names]
    rules = [
        _evident(column, raw, value, delivered[column.name] if typed else None)
        for column, raw, value in zip(source.columns, raws, values, strict=True)
    ]
    if span and source.event_time:
        start, end = (literal(at.isoformat()) for at in span)
        rules.append(f"{values[list(source.types).index(source.event_time)]} BETWEEN {start} AND {end}")
    return steps, values, " AND ".join([*([faults] if faults else []), *rules])


def _free(name: str, taken: Mapping[str, str]) -> str:
    """A name that no delivered column has."""
    known = {one.lower() for one in taken}
    while name in known:
        name = f"_{name}"
    return name


def _is_text_time(column: Column, *, typed: bool) -> bool:
    return isinstance(column.type, Timestamp) and not typed


def _cast(column: Column, raw: str, *, typed: bool) -> str:
    # A time without its zone is found far faster.
    kind = "TIMESTAMP" if _is_text_time(column, typed=typed) else column.type.sql
    return f"TRY_CAST({raw} AS {kind})"


def _time(raw: str, cast: str) -> str:
    """A time of text; `cast` is the one without its zone, which is right where there is none or it is UTC."""
    same = f"({cast}::VARCHAR = {raw} AND {cast} BETWEEN {CALENDAR})"
    plain = f"regexp_full_match({raw}, {literal(PLAIN_TIME)})"
    other = f"regexp_full_match({raw}, {literal(SPELLED[Timestamp])})"
    return (
        f"CASE WHEN {same} OR {plain} THEN make_timestamptz(epoch_us({cast})) "
        f"WHEN {other} THEN TRY_CAST({raw} AS TIMESTAMPTZ) END"
    )


def _matches(column: Column, raw: str) -> str:
    kind = column.type
    pattern = SPELLED[type(kind)]
    if isinstance(kind, EXACT_NUMBERS):
        digits = rf"\d{{0,{kind.scale if isinstance(kind, Decimal) else 0}}}0*"
        pattern = rf"[+-]?(\d+\.?{digits}|\.{digits})"
    return f"regexp_full_match({raw}, {literal(pattern)})"


def _evident(column: Column, raw: str, value: str, found: str | None) -> str:
    """Whether a value obeys its column; `found` is the delivered type, None for text."""
    rules = _typed(column, raw, value, found) if found else _text(column, raw, value)
    # As the rule itself does: a number that was delivered as one is compared before it is rounded.
    number = raw if found else value
    if column.minimum is not None:
        rules.append(f"{number} >= {column.minimum!r}")
    if column.maximum is not None:
        rules.append(f"{number} <= {column.maximum!r}")
    if column.allowed is not None:
        rules.append(f"{raw} IN ({', '.join(map(literal, column.allowed))})")
    obeyed = " AND ".join(rules)
    return f"({raw} IS NULL OR ({obeyed}))" if column.nullable else f"({obeyed})"


def _text(column: Column, raw: str, value: str) -> list[str]:
    match column.type:
        case Text():
            return [f"NOT contains({raw}, chr(0))"]
        case Timestamp():
            return [f"{value} IS NOT NULL"]
        case Double():
            return [f"isfinite({value})", _matches(column, raw)]
    # What the value would be written like is quickly compared.
    return [f"{value} IS NOT NULL", f"({value}::VARCHAR = {raw} OR {_matches(column, raw)})"]


def _typed(column: Column, raw: str, value: str, found: str) -> list[str]:
    rules: Sequence[str] = []
    if isinstance(column.type, Double):
        rules = [f"isfinite({value})"]
    elif isinstance(column.type, EXACT_NUMBERS) and found in {"FLOAT", "DOUBLE"}:
        rules = [f"abs({raw}::DOUBLE - {value}::DOUBLE) <= {CLOSE}"]
    elif isinstance(column.type, EXACT_NUMBERS) and found != column.type.sql:
        rules = [f"{raw} = {value}"]
    return [f"{value} IS NOT NULL", *rules]
