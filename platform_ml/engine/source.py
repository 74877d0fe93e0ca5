"""Delivered files become rows of a table; what does not fit is kept aside with its reasons."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from platform_ml.engine.audit import FRESH, REJECTED, TABLE_CHECKS, Check, Expectation, Finding
from platform_ml.engine.delivery import read, span
from platform_ml.engine.ports import PARTITION, WHOLE, Content
from platform_ml.engine.schema import arrow_schema
from platform_ml.engine.table import Materialized, Staged, chunks, publish
from platform_ml.spec.project import REJECTED as SUFFIX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.engine.delivery import Delivery
    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Stamp
    from platform_ml.spec.source import Source

SHOWN = 3


def checks(source: Source) -> tuple[Check, ...]:
    """The data checks of a source."""
    return (*(check for check in TABLE_CHECKS if source.cadence or check != FRESH), REJECTED)


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


def _expected(source: Source, keys: Sequence[str]) -> Expectation:
    return Expectation(
        schema=arrow_schema(source.types),
        required=[column.name for column in source.columns if not column.nullable],
        key=source.key,
        time=source.event_time,
        span={key: found for key in keys if (found := span(source, key))},
        usual_rows=source.expected_rows,
    )


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
