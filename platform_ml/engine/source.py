"""Delivered files become rows of a table; what does not fit is kept aside with its reasons."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from platform_ml.engine.audit import FRESH, REJECTED, TABLE_CHECKS, Check, Expectation, Finding
from platform_ml.engine.delivery import UnreadableError, read, span
from platform_ml.engine.ports import PARTITION, WHOLE
from platform_ml.engine.quarantine import keep_file, keep_rows
from platform_ml.engine.schema import arrow_schema
from platform_ml.engine.table import Materialized, Staged, chunks, publish
from platform_ml.spec.errors import SourceError

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
    done = []
    for some in chunks(keys):
        with tempfile.TemporaryDirectory() as scratch:
            done.append(_materialize(source, some, Path(scratch), work=work, stamp=stamp))
    return done


def _materialize(source: Source, some: Sequence[str], scratch: Path, *, work: Work, stamp: Stamp) -> Materialized:
    import pyarrow as pa

    deliveries = [_read(source, key, work, scratch) for key in some]
    keep_rows(source, deliveries, work=work, stamp=stamp)
    findings = [_share(source, delivery) for delivery in deliveries]
    if any(finding.stops for finding in findings):
        _keep_files(source, deliveries, findings, work)
        return Materialized(findings=findings, snapshot=None)
    rows = pa.concat_tables(
        delivery.accepted.append_column(PARTITION, pa.repeat(delivery.key, delivery.accepted.num_rows))
        for delivery in deliveries
    )
    staged = Staged(
        rows=rows,
        inputs={delivery.key: delivery.inputs for delivery in deliveries},
        manifests={delivery.key: delivery.manifest for delivery in deliveries},
    )
    result = publish(source, staged, _expected(source, some), work=work, stamp=stamp)
    what = "partition" if source.format is None else "file"
    work.say(f"{work.table(source)}: {rows.num_rows:,} rows of {len(some)} {what}(s) up to {some[-1]}")
    return replace(result, findings=[*result.findings, *findings])


def _read(source: Source, key: str, work: Work, scratch: Path) -> Delivery:
    try:
        return read(source, key, work=work, scratch=scratch)
    except UnreadableError as error:
        kept = keep_file(source, key, error.file, error.reason, work=work)
        raise SourceError(f"{error} The file is kept in {kept.folder}.") from error


def _keep_files(source: Source, deliveries: Sequence[Delivery], findings: Sequence[Finding], work: Work) -> None:
    """Good rows of a refused file are in no table, so the file is kept whole before it is delivered again."""
    for delivery, finding in zip(deliveries, findings, strict=True):
        if finding.stops:
            keep_file(source, delivery.key, delivery.file, finding.reason, work=work, name=delivery.name)


def _expected(source: Source, keys: Sequence[str]) -> Expectation:
    return Expectation(
        schema=arrow_schema(source.types),
        required=[column.name for column in source.columns if not column.nullable],
        key=source.key,
        time=source.event_time,
        span={key: found for key in keys if (found := span(source, key))},
        usual_rows=source.expected_rows,
    )


def _share(source: Source, delivery: Delivery) -> Finding:
    count = delivery.rejected.num_rows
    reasons: dict[str, int] = {}
    for text in delivery.rejected["reasons"].to_pylist():
        reasons[text] = reasons.get(text, 0) + 1
    most = ", ".join(f"{text} ({n}x)" for text, n in sorted(reasons.items(), key=lambda item: -item[1])[:SHOWN])
    numbers: dict[str, float | str] = {"rejected": count, "reasons": json.dumps(reasons)}
    if delivery.repeated:
        numbers |= {"duplicates": delivery.repeated, "exact_duplicates": delivery.exact}
    fixed = ""
    if delivery.replayed:
        numbers["replayed"] = delivery.replayed
        fixed = f" {delivery.replayed:,} rows were fixed and replayed."
    passed = delivery.share <= source.max_rejected_share
    advice = "" if passed else f" Nothing was loaded: have {delivery.place} mended and materialize the partition again."
    return Finding(
        check=REJECTED,
        partition=delivery.key,
        passed=passed,
        reason=(
            f"{count:,} of {count + delivery.accepted.num_rows:,} rows rejected ({delivery.share:.2%}, allowed "
            f"{source.max_rejected_share:.2%}){': ' + most if most else ''}.{fixed}{advice}"
        ),
        numbers=numbers,
    )


def partitions(source: Source, keys: Sequence[str]) -> Sequence[str]:
    """The table partitions behind Dagster's keys: a source without cadence has just one."""
    return keys if source.cadence else [WHOLE]
