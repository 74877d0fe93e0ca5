"""Feature groups as assets."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from platform_ml.engine import feature_group as engine
from platform_ml.engine.schema import arrow_schema
from platform_ml.orchestration import metadata
from platform_ml.orchestration.asset import AssetSpec, asset, dep, key
from platform_ml.orchestration.partitions import group_on_source, partitions_def
from platform_ml.orchestration.table import table_body
from platform_ml.spec.feature_group import EVENT_TIME

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import dagster as dg

    from platform_ml.spec.feature_group import Derived, FeatureGroup, Lookup
    from platform_ml.spec.project import Project
    from platform_ml.spec.source import Source


def feature_group_asset(project: Project, group: FeatureGroup) -> dg.AssetsDefinition:
    """Compute and commit feature rows."""
    described = {name: of_event(name, group.source, group.derived) for name in group.keys}
    described |= {feature.name: feature.meaning for feature in group.selectable}
    if group.of_events:
        described |= {name: of_event(name, group.source, group.derived) for name in group.event_columns}
    described[EVENT_TIME] = "The moment from which the row may be used."
    lookups = [dep(project, lookup.source) for lookup in group.lookups]
    spec = AssetSpec(
        project=project,
        noun=group,
        description=group.description,
        kinds={"features", "duckdb", "deltalake"},
        partitions=partitions_def(group.cadence),
        deps=[dep(project, group.source, group_on_source(group)), *lookups],
        checks=engine.checks(group),
        metadata={
            "dagster/column_schema": metadata.column_schema(
                arrow_schema(engine.types(group)), described, [*group.keys, EVENT_TIME]
            ),
            "dagster/column_lineage": _lineage(project, group),
            "lookback_days": group.lookback_days,
        },
    )
    return asset(spec, table_body(project, group, partial(engine.materialize_feature_group, group)))


def of_event(name: str, source: Source, derived: Sequence[Derived]) -> str:
    """What a column of an event means, or of what is looked up; at least where it is from."""
    known = {column.name: column.description for column in source.columns}
    known |= {column.name: column.meaning for column in derived}
    return known.get(name) or f"{name} of {source.name}."


def origins(
    project: Project, source: Source, derived: Sequence[Derived], lookups: Sequence[Lookup] = ()
) -> Callable[[str], list[tuple[dg.AssetKey, str]]]:
    """What finds the delivered columns that a column of an event is made of."""
    looked_up = {column: lookup.source for lookup in lookups for column in lookup.columns}
    sql = {column.name: column.sql for column in derived}

    def origin(column: str) -> list[tuple[dg.AssetKey, str]]:
        if column in sql:
            named = [name for name in (*source.types, *looked_up) if re.search(rf"\b{name}\b", sql[column])]
            return [found for name in named for found in origin(name)]
        return [(key(project, looked_up.get(column, source)), column)]

    return origin


def _lineage(project: Project, group: FeatureGroup) -> dg.TableColumnLineage:
    origin = origins(project, group.source, group.derived, group.lookups)
    columns = {name: origin(name) for name in group.keys}
    event_time = (group.history and group.history.event_time) or group.source.event_time
    time = origin(event_time) if event_time else []
    if group.of_events:
        return metadata.lineage(columns | {EVENT_TIME: time} | {name: origin(name) for name in group.event_columns})
    for feature in group.features:
        # What has no column of its own, such as a count, is made of the entity's events.
        read = feature.columns() or group.keys
        columns[feature.name] = [found for name in read for found in origin(name)] + time
    if group.quality:
        scored = group.quality.scored({feature.name: feature.result(group.types) for feature in group.features})
        made_of = list(dict.fromkeys(found for name in scored for found in columns[name]))
        columns |= dict.fromkeys(group.quality.columns, made_of)
    return metadata.lineage(columns)
