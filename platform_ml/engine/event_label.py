"""Labels of single events: the source's rows at the moment before them, once their outcome is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from platform_ml.engine import response as responses
from platform_ml.engine.audit import RANGES, TABLE_CHECKS, Check, Expectation, Finding
from platform_ml.engine.bounds import bounds
from platform_ml.engine.feature_group import columns_sql, derived_sql
from platform_ml.engine.ports import PARTITION, Files
from platform_ml.engine.schema import arrow_schema
from platform_ml.engine.table import Materialized, Staged, chunks, publish, versions
from platform_ml.spec.errors import MissingInputError
from platform_ml.spec.feature_group import EVENT_TIME
from platform_ml.spec.fingerprint import digest
from platform_ml.spec.label import KNOWN_TIME
from platform_ml.spec.naming import counted
from platform_ml.spec.response import Response
from platform_ml.spec.sql import identifier
from platform_ml.spec.window import microseconds, moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pyarrow as pa

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Relation, Snapshot, Stamp
    from platform_ml.spec.event_label import Event, EventLabel
    from platform_ml.spec.source import Source

HORIZON = Check(
    name="horizon", blocking=True, description="Outcomes become known after the moment, within the declared horizon."
)


def checks(label: EventLabel) -> tuple[Check, ...]:
    """The data checks of a label."""
    return (*TABLE_CHECKS, *((RANGES,) if bounds(label) else ()), HORIZON)


def source_keys(label: EventLabel, key: str) -> list[str]:
    """The source partition with the same events; `MissingInputError` while outcomes may still become known."""
    if isinstance(label.event, Response):
        responses.check_over(label, label.event, key)
        return [key]
    over = label.cadence.day(key) + timedelta(days=label.cadence.days + label.horizon_days)
    if over > datetime.now(UTC).date():
        raise MissingInputError(
            f"Label {label.name!r}, partition {key}: its outcomes are known on {over}, when {label.horizon_days} days "
            "are over. Materialize it then."
        )
    return [key]


def reads(label: EventLabel, key: str) -> list[tuple[Source, list[str]]]:
    """The sources of a partition, each with the partitions that are read of it."""
    own = (label.source, source_keys(label, key))
    if not isinstance(label.event, Response):
        return [own]
    if label.event.source == label.source:
        return [(label.source, sorted({*own[1], *responses.keys(label, label.event, key)}))]
    return [own, (label.event.source, responses.keys(label, label.event, key))]


def population_sql(label: EventLabel) -> str:
    """Every event in `raw` at its moment of prediction, with or without an outcome."""
    asked = [label.entity, *(label.event.on if isinstance(label.event, Response) else ())]
    there = " AND ".join(f"{identifier(name)} IS NOT NULL" for name in dict.fromkeys(asked))
    return f"""
{_events_sql(label)}
SELECT {PARTITION}, {columns_sql(label.own)}, _from AS {EVENT_TIME} FROM events WHERE {there}
ORDER BY {PARTITION}, {EVENT_TIME}, {columns_sql(label.key)}"""


def moments(label: EventLabel, key: str) -> tuple[datetime, datetime]:
    """The first and the last moment that a partition may have."""
    first = moment(label.cadence.day(key)) - label.lead
    return first, first + timedelta(days=label.cadence.days) - timedelta(microseconds=1)


def inputs(label: EventLabel, key: str, tables: Mapping[str, Snapshot]) -> str:
    """The digest of the rows that a partition is computed from."""
    return digest([tables[source.name].partitions[day].content for source, keys in reads(label, key) for day in keys])


def materialize_event_label(label: EventLabel, keys: Sequence[str], *, work: Work, stamp: Stamp) -> list[Materialized]:
    """Commit the labels of the events of these partitions."""
    done = []
    for some in chunks(keys):
        needed: dict[Source, set[str]] = {}
        for key in some:
            for source, days in reads(label, key):
                needed.setdefault(source, set()).update(days)
        read = {source.name: work.read(source, sorted(days)) for source, days in needed.items()}
        events = {key: read[label.source.name].partitions[key].rows for key in some}
        rows = work.platform.compute.query(_query(label), _tables(label, some, needed, read)).table()
        digests = {key: inputs(label, key, read) for key in some}
        expected = Expectation(
            bounds=bounds(label),
            schema=arrow_schema(label.columns),
            required=(*label.key, label.entity, EVENT_TIME, label.name, KNOWN_TIME),
            key=(*label.key, EVENT_TIME),
            time=EVENT_TIME,
            span={key: moments(label, key) for key in some},
        )
        staged = Staged(rows=rows, inputs=digests, read=versions(read))
        result = publish(label, staged, expected, work=work, stamp=stamp, more=_horizons(label, events, rows, work))
        done.append(result)
        left_out = sum(events.values()) - rows.num_rows
        without = f" ({left_out:,} events without outcome are not labelled)" if left_out else ""
        work.say(
            f"{work.table(label)}: {rows.num_rows:,} labels of {counted(len(some), 'day')} up to {some[-1]}{without}"
        )
    return done


def _tables(
    label: EventLabel, keys: Sequence[str], needed: Mapping[Source, set[str]], read: Mapping[str, Snapshot]
) -> dict[str, Relation]:
    def files(source: Source, days: Iterable[str]) -> Files:
        return Files(paths=read[source.name].paths(sorted(days)), schema=read[source.name].schema)

    raw: dict[str, Relation] = {"raw": files(label.source, keys)}
    if isinstance(label.event, Response):
        raw["answers"] = files(label.event.source, needed[label.event.source])
    return raw


def _query(label: EventLabel) -> str:
    return responses.sql(label, label.event) if isinstance(label.event, Response) else _sql(label, label.event)


def _events_sql(label: EventLabel) -> str:
    """Events with their derived columns, and `_from`, the moment that is predicted from."""
    lead, time = microseconds(label.lead), identifier(str(label.source.event_time))
    before = f"{time} - INTERVAL {lead} MICROSECONDS AS _from"
    return f"WITH events AS (SELECT *{derived_sql(label.derived)}, {before} FROM raw)"


def _sql(label: EventLabel, event: Event) -> str:
    value, known = map(identifier, (event.value, event.known))
    return f"""
{_events_sql(label)}
SELECT {PARTITION}, {columns_sql(label.own)}, _from AS {EVENT_TIME},
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
