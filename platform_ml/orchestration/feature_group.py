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
    import dagster as dg

    from platform_ml.spec.feature_group import FeatureGroup
    from platform_ml.spec.project import Project


def feature_group_asset(project: Project, group: FeatureGroup) -> dg.AssetsDefinition:
    """Compute and commit feature rows."""
    described = {feature.name: feature.meaning for feature in group.features}
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


def _lineage(project: Project, group: FeatureGroup) -> dg.TableColumnLineage:
    looked_up = {column: lookup.source for lookup in group.lookups for column in lookup.columns}
    derived = {column.name: column.sql for column in group.derived}

    def origin(column: str) -> list[tuple[dg.AssetKey, str]]:
        if column in derived:
            named = [name for name in (*group.source.types, *looked_up) if re.search(rf"\b{name}\b", derived[column])]
            return [found for name in named for found in origin(name)]
        return [(key(project, looked_up.get(column, group.source)), column)]

    columns = {key: origin(key) for key in group.keys}
    time = [(key(project, group.source), group.source.event_time)] if group.source.event_time else []
    for feature in group.features:
        # What has no column of its own, such as a count, is made of the entity's events.
        read = feature.columns() or group.keys
        columns[feature.name] = [found for name in read for found in origin(name)] + time
    return metadata.lineage(columns)
