"""Labels: every entity seen before a moment, and what became of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from platform_ml.engine.audit import RANGES, TABLE_CHECKS, Check, Expectation
from platform_ml.engine.bounds import bounds
from platform_ml.engine.feature_group import derived_sql
from platform_ml.engine.ports import PARTITION, Files
from platform_ml.engine.schema import arrow_schema
from platform_ml.engine.table import Materialized, Staged, chunks, publish
from platform_ml.spec.errors import MissingInputError
from platform_ml.spec.feature_group import EVENT_TIME
from platform_ml.spec.fingerprint import digest
from platform_ml.spec.label import KNOWN_TIME
from platform_ml.spec.naming import counted
from platform_ml.spec.sql import identifier, literal
from platform_ml.spec.window import moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Snapshot, Stamp
    from platform_ml.spec.label import Label

DAY = "epoch_us({}) // 86400000000"


def checks(label: Label) -> tuple[Check, ...]:
    """The data checks of a label."""
    return (*TABLE_CHECKS, *((RANGES,) if bounds(label) else ()))


def source_keys(label: Label, key: str) -> list[str]:
    """The days before the moment that say who is there, and those of the horizon."""
    day, cadence = label.cadence.day(key), label.source.cadence
    if cadence is None:
        raise TypeError(label)
    until, today = day + timedelta(days=label.horizon_days), datetime.now(UTC).date()
    over = min(cadence.end or today, today)
    if until > over:
        raise MissingInputError(
            f"Label {label.name!r}, partition {key}: the outcome is known on {until}, when its "
            f"{label.horizon_days} days are over; source {label.source.name!r} has only the days before {over}. "
            "Materialize it when those days are there."
        )
    return cadence.keys(_since(label, day), until)


def _since(label: Label, day: date) -> date | None:
    """From when on an entity has to be seen; None: whenever."""
    return None if label.seen_within_days is None else day - timedelta(days=label.seen_within_days)


def population_keys(label: Label, key: str) -> list[str]:
    """The days before the moment that say who is there: all of them are over when it comes."""
    day, cadence = label.cadence.day(key), label.source.cadence
    if cadence is None:
        raise TypeError(label)
    today = datetime.now(UTC).date()
    over = min(cadence.end or today, today)
    if day > over:
        raise MissingInputError(
            f"Label {label.name!r}: who is there on {key} is known when the days before it are over; source "
            f"{label.source.name!r} has only those before {over}. Materialize it when they are there."
        )
    return cadence.keys(_since(label, day), day)


def moments(label: Label, key: str) -> tuple[datetime, datetime]:
    """The first and the last moment of a partition: it has one."""
    at = moment(label.cadence.day(key))
    return at, at


def inputs(label: Label, key: str, tables: Mapping[str, Snapshot]) -> str:
    """The digest of the rows that a partition is computed from."""
    source = tables[label.source.name]
    return digest([source.partitions[day].content for day in source_keys(label, key)])


def materialize_label(label: Label, keys: Sequence[str], *, work: Work, stamp: Stamp) -> list[Materialized]:
    """Compute and commit the labels of these moments."""
    done = []
    for some in chunks(keys):
        everything = sorted({source for key in some for source in source_keys(label, key)})
        source = work.read(label.source, everything)
        raw = Files(paths=source.paths(everything), schema=source.schema)
        rows = work.platform.compute.query(_sql(label, some), {"raw": raw}).table()
        digests = {key: inputs(label, key, {label.source.name: source}) for key in some}
        at = {key: moment(label.cadence.day(key)) for key in some}
        expected = Expectation(
            bounds=bounds(label),
            schema=arrow_schema(label.columns),
            required=tuple(label.columns),
            key=(label.entity, EVENT_TIME),
            time=EVENT_TIME,
            span={key: (at[key], at[key]) for key in some},
        )
        staged = Staged(rows=rows, inputs=digests, read={label.source.name: source.version})
        done.append(publish(label, staged, expected, work=work, stamp=stamp))
        work.say(f"{work.table(label)}: {rows.num_rows:,} labels of {counted(len(some), 'moment')} up to {some[-1]}")
    return done


def population_sql(label: Label, keys: Sequence[str]) -> str:
    """Who is there at each moment, of the days before it in `raw`."""
    return f"""
{_seen_sql(label, keys)}
SELECT _key AS {PARTITION}, {identifier(label.entity)}, to_timestamp(_at * 86400) AS {EVENT_TIME}
FROM seen ORDER BY _key, {identifier(label.entity)}"""


def _seen_sql(label: Label, keys: Sequence[str]) -> str:
    """The one rule of who is there, for labels and for scores."""
    entity, epoch = identifier(label.entity), date(1970, 1, 1)
    moments = ", ".join(f"({literal(key)}, {(label.cadence.day(key) - epoch).days})" for key in keys)
    day = DAY.format(identifier(str(label.source.event_time)))
    seen = f"AND day._day >= _at - {label.seen_within_days}" if label.seen_within_days else ""
    return f"""
WITH moments(_key, _at) AS (VALUES {moments}),
events AS (SELECT *{derived_sql(label.derived)}, {day} AS _day FROM raw),
days AS (SELECT DISTINCT {entity}, _day FROM events WHERE {entity} IS NOT NULL),
seen AS (SELECT DISTINCT _key, _at, {entity} FROM moments JOIN days AS day ON day._day < _at {seen})"""


def _sql(label: Label, keys: Sequence[str]) -> str:
    entity, value = identifier(label.entity), identifier(label.name)
    return f"""
{_seen_sql(label, keys)},
happened AS (
    SELECT _at, {entity}, {label.outcome.sql()} AS value
    FROM moments JOIN events ON _day >= _at AND _day < _at + {label.horizon_days} GROUP BY _at, {entity}
),
nothing AS (SELECT {label.outcome.sql()} AS value FROM events WHERE FALSE)
SELECT _key AS {PARTITION}, {entity}, to_timestamp(_at * 86400) AS {EVENT_TIME},
       CAST(CASE WHEN happened._at IS NULL THEN nothing.value ELSE happened.value END AS
            {label.type.sql}) AS {value},
       to_timestamp((_at + {label.horizon_days}) * 86400) AS {KNOWN_TIME}
FROM seen LEFT JOIN happened USING (_at, {entity}) CROSS JOIN nothing
ORDER BY _key, {entity}"""
