"""Feature groups: windows of many days in one pass, or the fields of a reference source."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from platform_ml.engine.audit import FRESH, TABLE_CHECKS, Check, Expectation
from platform_ml.engine.ports import PARTITION, WHOLE, Files
from platform_ml.engine.schema import arrow_schema
from platform_ml.engine.table import Materialized, Staged, chunks, ends, publish, versions
from platform_ml.engine.window import windows_sql
from platform_ml.spec.feature_group import EVENT_TIME
from platform_ml.spec.fingerprint import digest
from platform_ml.spec.schema import Timestamp
from platform_ml.spec.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Relation, Snapshot, Stamp
    from platform_ml.spec.feature_group import FeatureGroup
    from platform_ml.spec.schema import Type
    from platform_ml.spec.window import Cadence

EPOCH = date(1970, 1, 1)


def checks(group: FeatureGroup) -> tuple[Check, ...]:
    """The data checks of a group."""
    return tuple(check for check in TABLE_CHECKS if group.cadence or check != FRESH)


def types(group: FeatureGroup) -> dict[str, Type]:
    """The columns of a group's table, in order."""
    features = {feature.name: feature.result(group.types) for feature in group.features}
    time = {EVENT_TIME: Timestamp()} if group.cadence else {}
    return {group.entity: group.types[group.entity], **time, **features}


def materialize_feature_group(
    group: FeatureGroup, keys: Sequence[str], *, work: Work, stamp: Stamp
) -> list[Materialized]:
    """Compute and commit the rows of these partitions."""
    if group.cadence is None:
        return [_reference(group, work=work, stamp=stamp)]
    return [_windows(group, group.cadence, some, work=work, stamp=stamp) for some in chunks(keys, group.lookback_days)]


def source_keys(group: FeatureGroup, key: str) -> list[str]:
    """The source partitions that the windows of one partition look back into."""
    if group.cadence is None or group.source.cadence is None:
        return [WHOLE]
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
        SELECT strftime({day}, '%Y-%m-%d') AS {PARTITION}, {identifier(group.entity)},
               to_timestamp((_day + 1) * 86400) AS {EVENT_TIME}, {features}
        FROM ({windows_sql(group, first_day=first, last_day=last, step=step)})"""
    tables: dict[str, Relation] = {"raw": Files(paths=source.paths(needed), schema=source.schema)}
    tables |= {_lookup(name): Files(paths=snapshot.paths(), schema=snapshot.schema) for name, snapshot in read.items()}
    rows = work.platform.compute.query(sql, tables | {"events": events_sql(group)}).table()
    read[group.source.name] = source
    staged = Staged(rows=rows, inputs={key: inputs(group, key, read) for key in keys}, read=versions(read))
    over = ends(keys, cadence)
    expected = Expectation(
        schema=arrow_schema(types(group)),
        required=(group.entity, EVENT_TIME),
        key=(group.entity, EVENT_TIME),
        time=EVENT_TIME,
        span={key: (over[key], over[key]) for key in keys},
    )
    result = publish(group, staged, expected, work=work, stamp=stamp)
    work.say(f"{work.table(group)}: {rows.num_rows:,} rows of {len(keys)} partition(s) up to {keys[-1]}")
    return result


def events_sql(group: FeatureGroup) -> str:
    """The source's events with looked-up and derived columns and `_day`."""
    joins, looked_up = "", ""
    for lookup in group.lookups:
        name = identifier(_lookup(lookup.source.name))
        on = " AND ".join(f"{name}.{identifier(key)} = raw.{identifier(key)}" for key in lookup.source.key)
        joins += f" LEFT JOIN {name} ON {on}"
        looked_up += "".join(f", {name}.{identifier(column)}" for column in lookup.columns)
    derived = "".join(f", CAST({d.sql} AS {d.type.sql}) AS {identifier(d.name)}" for d in group.derived)
    columns = ", ".join(f"raw.{identifier(name)}" for name in group.source.types)
    day = f"epoch_us(raw.{identifier(str(group.source.event_time))}) // 86400000000 AS _day"
    return (
        f"SELECT *{derived} FROM (SELECT {columns}{looked_up}, {day} FROM raw{joins} "
        f"WHERE raw.{identifier(group.entity)} IS NOT NULL)"
    )


def _lookup(source: str) -> str:
    return f"lookup_{source}"


def inputs(group: FeatureGroup, key: str, tables: Mapping[str, Snapshot]) -> str:
    """The digest of the rows that a partition is computed from."""
    source = tables[group.source.name]
    events = [source.partitions[needed].content for needed in source_keys(group, key)]
    return digest([events, *(tables[lookup.source.name].partitions[WHOLE].content for lookup in group.lookups)])


def _reference(group: FeatureGroup, *, work: Work, stamp: Stamp) -> Materialized:
    source = work.read(group.source, [WHOLE])
    entity = identifier(group.entity)
    fields = ", ".join(f"{feature.sql(str)} AS {identifier(feature.name)}" for feature in group.features)
    sql = f"SELECT {literal(WHOLE)} AS {PARTITION}, {entity}, {fields} FROM raw ORDER BY {entity}"
    rows = work.platform.compute.query(sql, {"raw": Files(paths=source.paths(), schema=source.schema)}).table()
    read = {group.source.name: source}
    staged = Staged(rows=rows, inputs={WHOLE: inputs(group, WHOLE, read)}, read=versions(read))
    expected = Expectation(schema=arrow_schema(types(group)), required=(group.entity,), key=(group.entity,))
    result = publish(group, staged, expected, work=work, stamp=stamp)
    work.say(f"{work.table(group)}: {rows.num_rows:,} rows")
    return result
