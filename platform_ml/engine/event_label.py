"""Labels of single events: the source's rows at the moment before them, once their outcome is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from platform_ml.engine.audit import RANGES, TABLE_CHECKS, Check, Expectation, Finding
from platform_ml.engine.bounds import bounds
from platform_ml.engine.feature_group import columns_sql, derived_sql
from platform_ml.engine.ports import PARTITION, Files
from platform_ml.engine.schema import arrow_schema
from platform_ml.engine.table import Materialized, Staged, chunks, publish
from platform_ml.spec.errors import MissingInputError
from platform_ml.spec.feature_group import EVENT_TIME
from platform_ml.spec.fingerprint import digest
from platform_ml.spec.label import KNOWN_TIME
from platform_ml.spec.sql import identifier
from platform_ml.spec.window import microseconds, moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Snapshot, Stamp
    from platform_ml.spec.event_label import EventLabel

HORIZON = Check(
    name="horizon", blocking=True, description="Outcomes become known after the moment, within the declared horizon."
)


def checks(label: EventLabel) -> tuple[Check, ...]:
    """The data checks of a label."""
    return (*TABLE_CHECKS, *((RANGES,) if bounds(label) else ()), HORIZON)


def source_keys(label: EventLabel, key: str) -> list[str]:
    """The source partition with the same events; `MissingInputError` while outcomes may still become known."""
    over = label.cadence.day(key) + timedelta(days=label.cadence.days + label.horizon_days)
    if over > datetime.now(UTC).date():
        raise MissingInputError(
            f"Label {label.name!r}, partition {key}: its outcomes are known on {over}, when {label.horizon_days} days "
            "are over. Materialize it then."
        )
    return [key]


def moments(label: EventLabel, key: str) -> tuple[datetime, datetime]:
    """The first and the last moment that a partition may have."""
    first = moment(label.cadence.day(key)) - label.lead
    return first, first + timedelta(days=label.cadence.days) - timedelta(microseconds=1)


def inputs(label: EventLabel, key: str, tables: Mapping[str, Snapshot]) -> str:
    """The digest of the rows that a partition is computed from."""
    source = tables[label.source.name]
    return digest([source.partitions[day].content for day in source_keys(label, key)])


def materialize_event_label(label: EventLabel, keys: Sequence[str], *, work: Work, stamp: Stamp) -> list[Materialized]:
    """Commit the labels of the events of these partitions."""
    done = []
    for some in chunks(keys):
        everything = [source for key in some for source in source_keys(label, key)]
        source = work.read(label.source, everything)
        rows = work.platform.compute.query(
            _sql(label), {"raw": Files(paths=source.paths(everything), schema=source.schema)}
        ).table()
        digests = {key: inputs(label, key, {label.source.name: source}) for key in some}
        expected = Expectation(
            bounds=bounds(label),
            schema=arrow_schema(label.columns),
            required=(*label.key, label.entity, EVENT_TIME, label.name, KNOWN_TIME),
            key=(*label.key, EVENT_TIME),
            time=EVENT_TIME,
            span={key: moments(label, key) for key in some},
        )
        staged = Staged(rows=rows, inputs=digests, read={label.source.name: source.version})
        events = {key: source.partitions[key].rows for key in some}
        result = publish(label, staged, expected, work=work, stamp=stamp, more=_horizons(label, events, rows, work))
        done.append(result)
        left_out = sum(events.values()) - rows.num_rows
        without = f" ({left_out:,} events without outcome are not labelled)" if left_out else ""
        work.say(f"{work.table(label)}: {rows.num_rows:,} labels of {len(some)} day(s) up to {some[-1]}{without}")
    return done


def _sql(label: EventLabel) -> str:
    event, lead = label.event, microseconds(label.lead)
    own = [name for name in label.columns if name not in (EVENT_TIME, label.name, KNOWN_TIME)]
    value, known, time = map(identifier, (event.value, event.known, str(label.source.event_time)))
    return f"""
WITH events AS (SELECT *{derived_sql(label.derived)} FROM raw)
SELECT {PARTITION}, {columns_sql(own)}, {time} - INTERVAL {lead} MICROSECONDS AS {EVENT_TIME},
       {value} AS {identifier(label.name)}, {known} AS {KNOWN_TIME}
FROM events WHERE {value} IS NOT NULL AND {known} IS NOT NULL AND {identifier(label.entity)} IS NOT NULL
ORDER BY {PARTITION}, {EVENT_TIME}, {columns_sql(label.key)}"""


def _horizons(label: EventLabel, events: Mapping[str, int], rows: pa.Table, work: Work) -> list[Finding]:
    """`events` is how many there are in each partition."""
    sql = f"""
        SELECT {PARTITION}, count(*) AS labelled, count_if({KNOWN_TIME} <= {EVENT_TIME}) AS early,
               count_if({KNOWN_TIME} > {EVENT_TIME} + INTERVAL {label.horizon_days} DAY) AS late
        FROM rows GROUP BY {PARTITION}"""
    found = {row[PARTITION]: row for row in work.platform.compute.query(sql, {"rows": rows}).table().to_pylist()}
    findings = []
    for key, count in events.items():
        early, late, labelled = (int(found.get(key, {}).get(name, 0)) for name in ("early", "late", "labelled"))
        reason = (
            f"{early:,} outcomes were known before the moment of prediction, {late:,} only after "
            f"{label.horizon_days} days. {labelled:,} of {count:,} events have an outcome."
        )
        advice = " Declare a longer horizon or lead, or mend the times." if early or late else ""
        findings.append(
            Finding(
                check=HORIZON,
                partition=key,
                passed=not (early or late),
                reason=reason + advice,
                numbers={"early": early, "late": late, "without_outcome": count - labelled},
            )
        )
    return findings
