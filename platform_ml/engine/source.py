"""Delivered files become rows of a table; what does not fit is kept aside with its reasons."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from platform_ml.engine.audit import FRESH, REJECTED, TABLE_CHECKS, Check, Expectation, Finding
from platform_ml.engine.content import file_sha256
from platform_ml.engine.ports import PARTITION, WHOLE, Content
from platform_ml.engine.schema import arrow_schema
from platform_ml.engine.table import Materialized, Staged, chunks, publish
from platform_ml.spec.errors import PlatformError, SourceError, did_you_mean
from platform_ml.spec.project import REJECTED as SUFFIX
from platform_ml.spec.schema import EXACT_NUMBERS, NUMBERS, Decimal, Timestamp
from platform_ml.spec.sql import identifier, literal
from platform_ml.spec.window import moment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    import pyarrow as pa

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Stamp
    from platform_ml.spec.schema import Column
    from platform_ml.spec.source import Source

ROW_NUMBER = "file_row_number"
NUMBER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\)")
TIME = re.compile(r"DATE|TIMESTAMP(TZ)?(_S|_MS|_NS)?|TIMESTAMP WITH TIME ZONE")
"""DuckDB's names of the types that are numbers and times."""
SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What one file held."""

    key: str
    file: Path
    sha256: str
    accepted: pa.Table
    rejected: pa.Table
    """row_number, reasons, record (the delivered row as JSON)."""

    @property
    def share(self) -> float:
        """The share of rejected rows."""
        total = self.accepted.num_rows + self.rejected.num_rows
        return self.rejected.num_rows / total if total else 0.0


def checks(source: Source) -> tuple[Check, ...]:
    """The data checks of a source."""
    return (*(check for check in TABLE_CHECKS if source.cadence or check != FRESH), REJECTED)


def landing_file(source: Source, key: str, work: Work) -> Path:
    """Where the file of a partition is delivered."""
    folder = work.platform.landing / work.project
    if source.cadence is None:
        return folder / f"{source.name}{source.format.suffix}"
    return folder / source.name / f"{key}{source.format.suffix}"


def materialize_source(source: Source, keys: Sequence[str], *, work: Work, stamp: Stamp) -> list[Materialized]:
    """Read, validate and commit the files of these partitions; all of them are looked at before any is committed."""
    import pyarrow as pa

    done = []
    for some in chunks(keys):
        deliveries = [read(source, key, work=work) for key in some]
        _quarantine(source, deliveries, work=work, stamp=stamp)
        findings = [_share(source, delivery) for delivery in deliveries]
        if any(finding.stops for finding in findings):
            done.append(Materialized(findings=findings, snapshot=None))
            continue
        rows = pa.concat_tables(
            delivery.accepted.append_column(PARTITION, pa.repeat(delivery.key, delivery.accepted.num_rows))
            for delivery in deliveries
        )
        staged = Staged(rows=rows, inputs={delivery.key: delivery.sha256 for delivery in deliveries})
        result = publish(source, staged, _expected(source, some), work=work, stamp=stamp)
        done.append(replace(result, findings=[*result.findings, *findings]))
        work.say(f"{work.table(source)}: {rows.num_rows:,} rows of {len(some)} file(s) up to {some[-1]}")
    return done


def read(source: Source, key: str, *, work: Work) -> Delivery:
    """One file, its rows divided into accepted and rejected; `SourceError` when it cannot be read at all."""
    if source.cadence is not None:
        source.cadence.day(key)
    file = landing_file(source, key, work)
    asset = work.table(source)
    if not file.is_file():
        raise SourceError(
            f"{asset}, partition {key}: {file} was not delivered. Ask the supplier for it, put it there (a day without "
            "business is a file with no rows) and materialize the partition again."
        )
    if problem := source.format.problem(str(file)):
        raise SourceError(
            f"{asset}, partition {key}: {file} cannot be read: {problem}. Have it delivered again; earlier data was "
            "not touched."
        )
    raw, compute = source.format.sql(str(file)), work.platform.compute
    try:
        delivered = compute.query(f"DESCRIBE FROM {raw}", {}).table().to_pylist()
        _check_columns(source, {row["column_name"]: row["column_type"] for row in delivered}, f"{asset}: {file}")
        judged = compute.query(_judged_sql(source, key, raw), {}).table()
    except PlatformError as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(f"{asset}, partition {key}: {file} cannot be read: {error}") from error
    import pyarrow.compute as pc

    bad = pc.greater(pc.list_value_length(judged["_reasons"]), 0)
    accepted = judged.filter(pc.invert(bad)).select(list(source.types))
    accepted = accepted.sort_by([(name, "ascending") for name in source.key])
    rejected = judged.filter(bad)
    reasons = pc.binary_join(rejected["_reasons"], "; ")
    rejected = rejected.select(["_row", "_record"]).rename_columns(["row_number", "record"])
    rejected = rejected.append_column("reasons", reasons)
    return Delivery(key=key, file=file, sha256=file_sha256(file), accepted=accepted, rejected=rejected)


def _expected(source: Source, keys: Sequence[str]) -> Expectation:
    return Expectation(
        schema=arrow_schema(source.types),
        required=[column.name for column in source.columns if not column.nullable],
        key=source.key,
        time=source.event_time,
        span={key: _span(source, key) for key in keys} if source.cadence else {},
        usual_rows=source.expected_rows,
    )


def _span(source: Source, key: str) -> tuple[datetime, datetime]:
    from datetime import timedelta

    cadence = source.cadence
    if cadence is None:
        raise TypeError(source)
    start = moment(cadence.day(key))
    return start, start + timedelta(days=cadence.days) - timedelta(microseconds=1)


def _check_columns(source: Source, delivered: dict[str, str], where: str) -> None:
    for column in source.columns:
        found = delivered.get(column.name)
        if found is None:
            hint = did_you_mean(column.name, delivered)
            raise SourceError(f"{where}: column {column.name!r} is missing.{hint} Nothing was loaded.")
        if not _readable(column, found):
            raise SourceError(
                f"{where}: column {column.name!r} is {found}, declared is {column.type.sql}. Have it delivered as "
                "declared, or change the declaration. Nothing was loaded."
            )


def _readable(column: Column, found: str) -> bool:
    if isinstance(column.type, NUMBERS):
        return NUMBER.fullmatch(found) is not None
    if isinstance(column.type, Timestamp):
        return TIME.fullmatch(found) is not None
    return found == column.type.sql


def _judged_sql(source: Source, key: str, raw: str) -> str:
    """Every delivered row in the declared types, with the list of what is wrong with it."""
    typed = ", ".join(f"TRY_CAST({identifier(c.name)} AS {c.type.sql}) AS {identifier(c.name)}" for c in source.columns)
    rules = ", ".join(
        f"CASE WHEN {wrong} THEN {literal(reason)} END" for c in source.columns for wrong, reason in _rules(c)
    )
    if source.cadence and source.event_time:
        start, end = (literal(at.isoformat()) for at in _span(source, key))
        time = f"_raw.{identifier(source.event_time)}"
        outside = literal(f"{source.event_time} is outside of the partition")
        rules += f", CASE WHEN TRY_CAST({time} AS TIMESTAMPTZ) NOT BETWEEN {start} AND {end} THEN {outside} END"
    keys = ", ".join(map(identifier, source.key))
    repeated = literal(f"repeats the key ({', '.join(source.key)}) of an earlier row")
    names = ", ".join(identifier(column.name) for column in source.columns)
    return f"""
WITH delivered AS (FROM {raw}),
judged AS (
    SELECT {ROW_NUMBER} AS _row, list_filter([{rules}], lambda reason: reason IS NOT NULL) AS _wrong,
           to_json(_raw) AS _record, {typed}
    FROM delivered AS _raw
),
counted AS (SELECT *, row_number() OVER (PARTITION BY len(_wrong) = 0, {keys} ORDER BY _row) AS _nth FROM judged)
SELECT {names}, _row, CASE WHEN len(_wrong) > 0 OR _nth > 1 THEN _record END AS _record,
       CASE WHEN len(_wrong) = 0 AND _nth > 1 THEN [{repeated}] ELSE _wrong END AS _reasons
FROM counted ORDER BY _row"""


def _rules(column: Column) -> list[tuple[str, str]]:
    """SQL of what a row may not be, and the reason that is kept with it."""
    raw = f"_raw.{identifier(column.name)}"
    cast = f"TRY_CAST({raw} AS {column.type.sql})"
    rules = [(f"{raw} IS NOT NULL AND {cast} IS NULL", f"{column.name} is not a {column.type.sql}")]
    if not column.nullable:
        rules.append((f"{raw} IS NULL", f"{column.name} is null"))
    if isinstance(column.type, EXACT_NUMBERS):
        scale = column.type.scale if isinstance(column.type, Decimal) else 0
        rules.append((_rounded(raw, cast), f"{column.name} has more than {scale} digits after the point"))
    if isinstance(column.type, NUMBERS):
        rules.append((f"NOT isfinite({raw}::DOUBLE)", f"{column.name} is not a finite number"))
    if column.minimum is not None:
        rules.append((f"{raw} < {column.minimum!r}", f"{column.name} is below {column.minimum}"))
    if column.maximum is not None:
        rules.append((f"{raw} > {column.maximum!r}", f"{column.name} is above {column.maximum}"))
    if column.allowed is not None:
        allowed = ", ".join(map(literal, column.allowed))
        rules.append((f"{raw} NOT IN ({allowed})", f"{column.name} is none of {', '.join(column.allowed)}"))
    return rules


def _rounded(raw: str, cast: str) -> str:
    """Whether casting changed the number; binary fractions may be off by what their type cannot hold."""
    close = f"CASE typeof({raw}) WHEN 'FLOAT' THEN 1e-6 ELSE 1e-10 END * greatest(1, abs({raw}::DOUBLE))"
    binary = f"abs({raw}::DOUBLE - {cast}::DOUBLE) > {close}"
    return f"CASE WHEN typeof({raw}) IN ('FLOAT', 'DOUBLE') THEN {binary} ELSE {raw} <> {cast} END"


def rejected_table(source: Source, work: Work) -> str:
    """The table that keeps the rows that were not let in."""
    return f"{work.table(source)}{SUFFIX}"


def _quarantine(source: Source, deliveries: Sequence[Delivery], *, work: Work, stamp: Stamp) -> None:
    """Keep rejected rows, also of a delivery that is then refused; forget those of an earlier delivery."""
    import pyarrow as pa

    table, tables = rejected_table(source, work), work.platform.tables
    known = tables.snapshot(table)
    kept = {
        delivery.key: Content(
            rows=delivery.rejected.append_column("file", pa.repeat(delivery.file.name, delivery.rejected.num_rows)),
            inputs=delivery.sha256,
        )
        for delivery in deliveries
        if delivery.rejected.num_rows or (known and delivery.key in known.partitions)
    }
    if kept:
        tables.commit(table, kept, stamp)


def _share(source: Source, delivery: Delivery) -> Finding:
    count = delivery.rejected.num_rows
    reasons: dict[str, int] = {}
    for text in delivery.rejected["reasons"].to_pylist():
        reasons[text] = reasons.get(text, 0) + 1
    most = ", ".join(f"{text} ({n}x)" for text, n in sorted(reasons.items(), key=lambda item: -item[1])[:SHOWN])
    passed = delivery.share <= source.max_rejected_share
    advice = "" if passed else f" Nothing was loaded: have {delivery.file} mended and materialize the partition again."
    return Finding(
        check=REJECTED,
        partition=delivery.key,
        passed=passed,
        reason=(
            f"{count:,} of {count + delivery.accepted.num_rows:,} rows rejected ({delivery.share:.2%}, allowed "
            f"{source.max_rejected_share:.2%}){': ' + most if most else ''}.{advice}"
        ),
        numbers={"rejected": count, "reasons": json.dumps(reasons)},
    )


def partitions(source: Source, keys: Sequence[str]) -> Sequence[str]:
    """The table partitions behind Dagster's keys: a source without cadence has just one."""
    return keys if source.cadence else [WHOLE]
