"""Delivered files become rows of a table; what does not fit is kept aside with its reasons."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from platform_ml.engine import late
from platform_ml.engine.audit import FRESH, REJECTED, TABLE_CHECKS, Check, Expectation, Finding
from platform_ml.engine.delivery import reading, span
from platform_ml.engine.feed import feed_of, origin_of
from platform_ml.engine.ports import PARTITION, WHOLE
from platform_ml.engine.quarantine import keep_file, keep_rows, token_of
from platform_ml.engine.retry import patiently
from platform_ml.engine.schema import arrow_schema
from platform_ml.engine.table import Materialized, Staged, chunks, publish
from platform_ml.spec.errors import SourceError
from platform_ml.spec.origin import Listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from platform_ml.engine.delivery import Delivery, UnreadableError
    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Snapshot, Stamp
    from platform_ml.spec.source import Source

SHOWN = 3
READERS = 4
"""Files that are read at a time: more than cores, since each waits for the disk and works in one thread for a while."""


def checks(source: Source) -> tuple[Check, ...]:
    """The data checks of a source."""
    more = (REJECTED, late.LATE) if late.looks(source) else (REJECTED,)
    return (*(check for check in TABLE_CHECKS if source.cadence or check != FRESH), *more)


def materialize_source(source: Source, keys: Sequence[str], *, work: Work, stamp: Stamp) -> list[Materialized]:
    """Read, validate and commit the files of these partitions; all of them are looked at before any is committed."""
    import pyarrow as pa

    done = []
    for some in chunks(keys):
        known = work.platform.tables.snapshot(work.table(source))
        deliveries = _deliveries(source, some, known, work)
        keep_rows(source, deliveries, work=work, stamp=stamp)
        findings = [_share(source, delivery) for delivery in deliveries]
        findings += late.findings(source, deliveries, known, work=work)
        if any(finding.stops for finding in findings):
            done.append(Materialized(findings=findings, snapshot=None))
            continue
        rows = pa.concat_tables(
            delivery.accepted.append_column(PARTITION, _repeated(n, some, delivery.accepted.num_rows))
            for n, delivery in enumerate(deliveries)
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


def _deliveries(source: Source, keys: Sequence[str], known: Snapshot | None, work: Work) -> list[Delivery]:
    """What was delivered for these partitions, oldest first."""
    if not late.rejects(source):
        return _side_by_side(source, keys, known, work)
    found: list[Delivery] = []  # one after the other: a later one may be let in less for an earlier one
    contents = {key: content for key, content in late.contents(known).items() if key not in keys}
    for key in keys:
        delivery = _delivery(source, key, known, work, now=found)
        delivery = replace(delivery, inputs=late.inputs(source, key, delivery.inputs, contents))
        contents[key] = late.content(source, delivery, known)
        found.append(delivery)
    return found


def _side_by_side(source: Source, keys: Sequence[str], known: Snapshot | None, work: Work) -> list[Delivery]:
    """Several files are read at a time, and all of them, so that each that cannot be read is kept at once."""
    with ThreadPoolExecutor(READERS) as pool:
        awaited = [pool.submit(_delivery, source, key, known, work) for key in keys]
    return [one.result() for one in awaited]


def _delivery(
    source: Source, key: str, known: Snapshot | None, work: Work, *, now: Sequence[Delivery] = ()
) -> Delivery:
    _check_gone(source, key, known, work)
    taken = late.taken(source, key, known, work=work, now=now)
    what = f"{work.table(source)}, partition {key}"
    return patiently(partial(_read, source, key, taken, work), what, retry=source.retry, work=work)


def _check_gone(source: Source, key: str, known: Snapshot | None, work: Work) -> None:
    """Refuse to load a partition again without the rows of files that are there no more."""
    loaded, origin = known.partitions.get(key) if known else None, origin_of(source)
    if loaded is None or not loaded.manifest or not isinstance(origin, Listed):
        return
    feed = feed_of(source, work)
    if gone := origin.missed(feed, key, origin.files(feed, key), loaded.manifest):
        raise SourceError(
            f"{work.table(source)}, partition {key}: {gone[0]} was loaded and is there no more, so its rows would be "
            'removed. Have it delivered again, or declare Files(gone="remove"); earlier data was not touched.'
        )


def _read(source: Source, key: str, taken: pa.Table | None, work: Work) -> Delivery:
    """A delivery; of one that is refused the files are kept whole, since its good rows are in no table."""

    def keep(error: UnreadableError) -> None:
        token = token_of(source, key, error.manifest)
        kept = keep_file(source, key, error.file, error.reason, name=error.name, token=token, work=work)
        raise SourceError(f"{error} The file is kept in {kept.folder}.") from error

    with reading(source, key, work=work, taken=taken, refuse=keep) as delivery:
        finding = _share(source, delivery)
        token = token_of(source, key, delivery.manifest)
        for name, file in delivery.files.items() if finding.stops else ():
            keep_file(source, key, file, finding.reason, name=name, token=token, work=work)
        return delivery


def _repeated(n: int, keys: Sequence[str], rows: int) -> pa.DictionaryArray:
    """The same key in every row, which takes four bytes a row."""
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(n, pa.int32()), rows), pa.array(keys, pa.string()))


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
