"""Feature views: each label row with the features that could be known at its moment, and not one row more."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from platform_ml.engine import label as labels
from platform_ml.engine.audit import ONE_EACH, TABLE_CHECKS, VOLUME, Check, Expectation
from platform_ml.engine.ports import PARTITION, WHOLE, Files
from platform_ml.engine.schema import arrow_schema
from platform_ml.engine.table import Materialized, Staged, chunks, publish, versions
from platform_ml.spec.feature_group import EVENT_TIME
from platform_ml.spec.fingerprint import digest
from platform_ml.spec.sql import identifier
from platform_ml.spec.window import moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Relation, Snapshot, Stamp
    from platform_ml.spec.feature_group import FeatureGroup, Selection
    from platform_ml.spec.feature_view import FeatureView
    from platform_ml.spec.schema import Type


def checks(view: FeatureView) -> tuple[Check, ...]:
    """The data checks of a view."""
    return (*(check for check in TABLE_CHECKS if check != VOLUME), ONE_EACH)


def types(view: FeatureView) -> dict[str, Type]:
    """The columns of a view's table, in order: the label's, the features, the helpers."""
    joined = {
        name: selection.group.feature(name).result(selection.group.types)
        for selection in view.selections
        for name in selection.names
    }
    return labels.types(view.label) | joined


def group_keys(group: FeatureGroup, view: FeatureView, key: str) -> list[str]:
    """The group's partitions that may hold the newest row at the moment of a view partition."""
    if group.cadence is None or group.ttl is None:
        return [WHOLE]
    day, step = view.label.cadence.day(key), timedelta(days=group.cadence.days)
    # A partition's rows are known when it is over, and speak until the next one is over.
    oldest = moment(day) - group.ttl - step
    return [k for k in group.cadence.keys(oldest.date(), day) if group.cadence.day(k) + step <= day][-1:]


def inputs(view: FeatureView, key: str, tables: Mapping[str, Snapshot]) -> str:
    """The digest of the rows that a partition is computed from."""
    joined = [
        [tables[group.name].partitions[found].content for found in group_keys(group, view, key)]
        for group in view.groups
    ]
    return digest([tables[view.label.name].partitions[key].content, *joined])


def materialize_feature_view(view: FeatureView, keys: Sequence[str], *, work: Work, stamp: Stamp) -> list[Materialized]:
    """Join each label partition once with the features known at its moment."""
    done = []
    for some in chunks(keys):
        label = work.read(view.label, some)
        needed = {group.name: {key: group_keys(group, view, key) for key in some} for group in view.groups}
        read = {group.name: _read(group, needed[group.name], work) for group in view.groups}
        tables: dict[str, Relation] = {"spine": Files(paths=label.paths(some), schema=label.schema)}
        for name, snapshot in read.items():
            wanted = sorted({found for keys in needed[name].values() for found in keys})
            tables[f"group_{name}"] = Files(paths=snapshot.paths(wanted), schema=snapshot.schema)
        rows = work.platform.compute.query(_sql(view), tables).table()
        read[view.label.name] = label
        digests = {key: inputs(view, key, read) for key in some}
        staged = Staged(rows=rows, inputs=digests, read=versions(read))
        result = publish(view, staged, _expected(view, some, label), work=work, stamp=stamp)
        done.append(result)
        work.say(f"{work.table(view)}: {rows.num_rows:,} rows of {len(some)} moment(s) up to {some[-1]}")
    return done


def _read(group: FeatureGroup, needed: dict[str, list[str]], work: Work) -> Snapshot:
    return work.read(group, sorted({key for keys in needed.values() for key in keys}))


def _expected(view: FeatureView, keys: Sequence[str], label: Snapshot) -> Expectation:
    at = {key: moment(view.label.cadence.day(key)) for key in keys}
    return Expectation(
        schema=arrow_schema(types(view)),
        required=(*view.spine_names, *(n for n in view.helper_names if not _nullable(view, n))),
        key=(view.label.entity, EVENT_TIME),
        time=EVENT_TIME,
        span={key: (at[key], at[key]) for key in keys},
        exact_rows={key: label.partitions[key].rows for key in keys},
    )


def _nullable(view: FeatureView, name: str) -> bool:
    feature = next(s.group.feature(name) for s in view.selections if name in s.names)
    return feature.absent == "NULL"


def _sql(view: FeatureView) -> str:
    """One ASOF join per group on entity and time; its time to live is judged on the row that was found."""
    entity = identifier(view.label.entity)
    spine = ", ".join(f"spine.{identifier(name)}" for name in view.spine_names)
    columns, joins = [spine], []
    for number, selection in enumerate(view.selections):
        alias = f"joined_{number}"
        columns += [_column(selection, name, alias) for name in selection.names]
        joins.append(_join(selection, alias, entity))
    return (
        f"SELECT spine.{PARTITION}, {', '.join(columns)} FROM spine {' '.join(joins)} "
        f"ORDER BY spine.{PARTITION}, spine.{entity}"
    )


def _column(selection: Selection, name: str, alias: str) -> str:
    group, quoted = selection.group, identifier(name)
    found = f"{alias}.{identifier(group.entity)} IS NOT NULL"
    if group.ttl is not None:
        microseconds = group.ttl // timedelta(microseconds=1)
        age = f"spine.{EVENT_TIME} - {alias}.{EVENT_TIME}"
        found += f" AND {age} <= INTERVAL {microseconds} MICROSECONDS"
    return f"CASE WHEN {found} THEN {alias}.{quoted} ELSE {group.feature(name).absent} END AS {quoted}"


def _join(selection: Selection, alias: str, entity: str) -> str:
    table = f"{identifier('group_' + selection.group.name)} AS {alias}"
    if selection.group.cadence is None:
        return f"LEFT JOIN {table} ON spine.{entity} = {alias}.{entity}"
    # The bound: a row may be used from its event time on, that very moment included.
    on = f"spine.{entity} = {alias}.{entity} AND spine.{EVENT_TIME} >= {alias}.{EVENT_TIME}"
    return f"ASOF LEFT JOIN {table} ON {on}"


def not_point_in_time(view: FeatureView) -> list[str]:
    """The groups without event time: joined as last known, which manifest and card say."""
    return [group.name for group in view.groups if group.cadence is None]
