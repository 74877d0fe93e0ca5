"""Delivered files become rows of a table; what does not fit is kept aside with its reasons."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from platform_ml.engine.audit import FRESH, REJECTED, TABLE_CHECKS, Check, Expectation, Finding
from platform_ml.engine.delivery import reading, span
from platform_ml.engine.ports import PARTITION, WHOLE
from platform_ml.engine.quarantine import keep_file, keep_rows
from platform_ml.engine.retry import patiently
from platform_ml.engine.schema import arrow_schema
from platform_ml.engine.table import Materialized, Staged, chunks, publish
from platform_ml.spec.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.engine.delivery import Delivery, UnreadableError
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
        deliveries = [_patiently(source, key, work) for key in some]
        keep_rows(source, deliveries, work=work, stamp=stamp)
        findings = [_share(source, delivery) for delivery in deliveries]
        if any(finding.stops for finding in findings):
            done.append(Materialized(findings=findings, snapshot=None))
            continue
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
        done.append(replace(result, findings=[*result.findings, *findings]))
        what = "file" if source.format else "partition"
        work.say(f"{work.table(source)}: {rows.num_rows:,} rows of {len(some)} {what}(s) up to {some[-1]}")
    return done


def _patiently(source: Source, key: str, work: Work) -> Delivery:
    what = f"{work.table(source)}, partition {key}"
    return patiently(lambda: _read(source, key, work), what, retry=source.retry, work=work)


def _read(source: Source, key: str, work: Work) -> Delivery:
    """A delivery; of one that is refused the files are kept whole, since its good rows are in no table."""

    def keep(error: UnreadableError) -> None:
        kept = keep_file(source, key, error.file, error.reason, name=error.name, work=work)
        raise SourceError(f"{error} The file is kept in {kept.folder}.") from error

    with reading(source, key, work=work, refuse=keep) as delivery:
        finding = _share(source, delivery)
        for name, file in delivery.files.items() if finding.stops else ():
            keep_file(source, key, file, finding.reason, name=name, work=work)
        return delivery


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
