"""Feature groups: windows of many days in one pass, events as they happen, or the fields of a reference source."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from platform_ml.engine.audit import FRESH, RANGES, TABLE_CHECKS, UNIQUE_KEY, Check, Expectation
from platform_ml.engine.bounds import bounds
from platform_ml.engine.ports import PARTITION, WHOLE, Files
from platform_ml.engine.quality import scored
from platform_ml.engine.schema import arrow_schema
from platform_ml.engine.table import Materialized, Staged, chunks, ends, publish, versions
from platform_ml.engine.window import windows_sql
from platform_ml.spec.feature_group import EVENT_TIME
from platform_ml.spec.fingerprint import digest
from platform_ml.spec.naming import counted
from platform_ml.spec.sql import identifier, literal
from platform_ml.spec.window import moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Relation, Snapshot, Stamp
    from platform_ml.spec.feature_group import Derived, FeatureGroup
    from platform_ml.spec.schema import Type
    from platform_ml.spec.window import Cadence

EPOCH = date(1970, 1, 1)
EARLIEST, LATEST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


def checks(group: FeatureGroup) -> tuple[Check, ...]:
    """The data checks of a group."""
    own = (RANGES,) if bounds(group) else ()
    return (*(check for check in TABLE_CHECKS if group.rules or check != FRESH), *own)


def types(group: FeatureGroup) -> dict[str, Type]:
    """The columns of a group's table, in order."""
    return group.columns


def materialize_feature_group(
    group: FeatureGroup, keys: Sequence[str], *, work: Work, stamp: Stamp
) -> list[Materialized]:
    """Compute and commit the rows of these partitions."""
    if group.of_events:
        return [_events(group, some, work=work, stamp=stamp) for some in chunks(keys)]
    if group.cadence is None:
        return [_reference(group, work=work, stamp=stamp)]
    return [_windows(group, group.cadence, some, work=work, stamp=stamp) for some in chunks(keys, group.lookback_days)]


def source_keys(group: FeatureGroup, key: str) -> list[str]:
    """The source partitions that the windows of one partition look back into."""
    if group.cadence is None or group.source.cadence is None:
        return [WHOLE]
    if group.of_events:
        return [key]
    end = group.cadence.day(key) + timedelta(days=group.cadence.days)
    # A source partition of several days may begin before the window does.
    start = end - timedelta(days=group.lookback_days + group.source.cadence.days - 1)
    return group.source.cadence.keys(start, end)


def _windows(group: FeatureGroup, cadence: Cadence, keys: Sequence[str], *, work: Work, stamp: Stamp) -> Materialized:
    needed = sorted({source for key in keys for source in source_keys(group, key)})
    source = work.read(group.source, needed)
    read: dict[str, Snapshot] = {lookup.source.name: work.read(lookup.source, [WHOLE]) for lookup in group.lookups}
    step = cadence.days
    first, last = ((cadence.day(key) - EPOCH).days + step - 1 for key in (keys[0], keys[-1]))
    features = ", ".join(identifier(feature.name) for feature in group.features)
    day = f"({literal(EPOCH)} + CAST(_day - {step - 1} AS INTEGER))"
    sql = f"""
        SELECT strftime({day}, '%Y-%m-%d') AS {PARTITION}, {columns_sql(group.keys)},
               to_timestamp((_day + 1) * 86400) AS {EVENT_TIME}, {features}
        FROM ({windows_sql(group, first_day=first, last_day=last, step=step)})"""
    tables: dict[str, Relation] = {"raw": Files(paths=source.paths(needed), schema=source.schema)}
    tables |= {_lookup(name): Files(paths=snapshot.paths(), schema=snapshot.schema) for name, snapshot in read.items()}
    rows = work.platform.compute.query(sql, tables | {"events": events_sql(group)}).table()
    read[group.source.name] = source
    rows, quality = scored(group, rows, keys, compute=work.platform.compute)
    digests = {key: inputs(group, key, read) for key in keys}
    staged = Staged(rows=rows, inputs=digests, read=versions(read), quality=quality)
    over = ends(keys, cadence)
    expected = Expectation(
        bounds=bounds(group),
        schema=arrow_schema(types(group)),
        required=(*group.keys, EVENT_TIME),
        key=(*group.keys, EVENT_TIME),
        time=EVENT_TIME,
        span={key: (over[key], over[key]) for key in keys},
    )
    result = publish(group, staged, expected, work=work, stamp=stamp)
    work.say(f"{work.table(group)}: {rows.num_rows:,} rows of {counted(len(keys), 'partition')} up to {keys[-1]}")
    return result


def events_sql(group: FeatureGroup) -> str:
    """The source's events with looked-up and derived columns and `_day`; those without a key are no one's."""
    joins, looked_up = "", ""
    for lookup in group.lookups:
        name = identifier(_lookup(lookup.source.name))
        on = " AND ".join(f"{name}.{identifier(key)} = raw.{identifier(key)}" for key in lookup.source.key)
        joins += f" LEFT JOIN {name} ON {on}"
        looked_up += "".join(f", {name}.{identifier(column)}" for column in lookup.columns)
    columns = ", ".join(f"raw.{identifier(name)}" for name in group.source.types)
    own = f"raw.{PARTITION}, " if group.of_events else ""
    time = group.source.event_time
    day = f", epoch_us(raw.{identifier(time)}) // 86400000000 AS _day" if time else ""
    keep_null = group.history is not None and group.history.match_null_keys
    known = (
        ""
        if keep_null or not group.keys
        else " WHERE " + " AND ".join(f"{identifier(key)} IS NOT NULL" for key in group.keys)
    )
    read = f"SELECT {own}{columns}{looked_up}{day} FROM raw{joins}"
    return f"SELECT * FROM (SELECT *{derived_sql(group.derived)} FROM ({read})){known}"


def derived_sql(derived: Sequence[Derived]) -> str:
    """The columns that are computed from those of the same event."""
    return "".join(f", CAST({d.sql} AS {d.type.sql}) AS {identifier(d.name)}" for d in derived)


def columns_sql(names: Iterable[str]) -> str:
    """A list of columns."""
    return ", ".join(map(identifier, names))


def _lookup(source: str) -> str:
    return f"lookup_{source}"


def inputs(group: FeatureGroup, key: str, tables: Mapping[str, Snapshot]) -> str:
    """The digest of the rows that a partition is computed from."""
    source = tables[group.source.name]
    events = [source.partitions[needed].content for needed in source_keys(group, key)]
    return digest([events, *(tables[lookup.source.name].partitions[WHOLE].content for lookup in group.lookups)])


def _reference(group: FeatureGroup, *, work: Work, stamp: Stamp) -> Materialized:
    source = work.read(group.source, [WHOLE])
    entity = columns_sql(group.keys)
    fields = ", ".join(f"{feature.sql(str)} AS {identifier(feature.name)}" for feature in group.features)
    sql = f"SELECT {literal(WHOLE)} AS {PARTITION}, {entity}, {fields} FROM raw ORDER BY {entity}"
    rows = work.platform.compute.query(sql, {"raw": Files(paths=source.paths(), schema=source.schema)}).table()
    read = {group.source.name: source}
    rows, quality = scored(group, rows, [WHOLE], compute=work.platform.compute)
    digests = {WHOLE: inputs(group, WHOLE, read)}
    staged = Staged(rows=rows, inputs=digests, read=versions(read), quality=quality)
    expected = Expectation(schema=arrow_schema(types(group)), required=group.keys, key=group.keys, bounds=bounds(group))
    result = publish(group, staged, expected, work=work, stamp=stamp)
    work.say(f"{work.table(group)}: {rows.num_rows:,} rows")
    return result


def _events(group: FeatureGroup, keys: Sequence[str], *, work: Work, stamp: Stamp) -> Materialized:
    """The source's rows that have an event time, sorted the way they are searched."""
    source, rules = work.read(group.source, keys), group.history
    if rules is None:
        raise TypeError(group)
    read: dict[str, Snapshot] = {lookup.source.name: work.read(lookup.source, [WHOLE]) for lookup in group.lookups}
    time = identifier(rules.event_time or str(group.source.event_time))
    ordering = [*group.keys, EVENT_TIME, *(name for name in (rules.created, rules.sequence) if name)]
    order = columns_sql([*ordering, *group.source.key, *group.event_columns])
    # No moment before its beginning reads a partition, whatever else is computed along with it.
    more = "".join(f", {identifier(name)}" for name in group.event_columns)
    used = f"greatest({time}, CAST({PARTITION} AS DATE)::TIMESTAMPTZ)" if group.cadence else time
    sql = f"""
        SELECT {PARTITION}, {columns_sql(group.keys)}, {used} AS {EVENT_TIME}{more} FROM events
        WHERE {time} IS NOT NULL ORDER BY {PARTITION}, {order}"""
    tables: dict[str, Relation] = {"raw": Files(paths=source.paths(keys), schema=source.schema)}
    tables |= {_lookup(name): Files(paths=snapshot.paths(), schema=snapshot.schema) for name, snapshot in read.items()}
    rows = work.platform.compute.query(sql, tables | {"events": events_sql(group)}).table()
    read[group.source.name] = source
    staged = Staged(rows=rows, inputs={key: inputs(group, key, read) for key in keys}, read=versions(read))
    picked = [name for feature in group.features if not feature.exact for name in feature.columns()]
    expected = Expectation(
        bounds=bounds(group),
        schema=arrow_schema(types(group)),
        required=(EVENT_TIME,) if rules.match_null_keys else (*group.keys, EVENT_TIME),
        key=ordering,
        differing=picked if rules.ties == "error" else (),
        time=EVENT_TIME,
        span=_spans(group, keys),
        advice={
            UNIQUE_KEY: "They differ and nothing orders them: declare created or sequence in the group's history, or "
            "ties='last'.",
            FRESH: f"Have the times mended, or declare more than late_days={rules.late_days} in the group's history.",
        },
    )
    result = publish(group, staged, expected, work=work, stamp=stamp)
    left_out = sum(source.partitions[key].rows for key in keys) - rows.num_rows
    without = f" ({left_out:,} without key or event time left out)" if left_out else ""
    work.say(
        f"{work.table(group)}: {rows.num_rows:,} events of {counted(len(keys), 'partition')} up to {keys[-1]}{without}"
    )
    return result


def _spans(group: FeatureGroup, keys: Sequence[str]) -> dict[str, tuple[datetime, datetime]]:
    """The event times that the rows of each partition may have."""
    if group.cadence is None or group.history is None:
        return dict.fromkeys(keys, (EARLIEST, LATEST))
    late, over = timedelta(days=group.history.late_days), ends(keys, group.cadence)
    return {key: (moment(group.cadence.day(key)), over[key] + late - timedelta(microseconds=1)) for key in keys}
