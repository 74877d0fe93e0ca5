"""Feature views as assets."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from platform_ml.engine import feature_view as engine
from platform_ml.engine.schema import arrow_schema
from platform_ml.orchestration import metadata
from platform_ml.orchestration.asset import AssetSpec, asset, dep, key
from platform_ml.orchestration.label import meanings
from platform_ml.orchestration.partitions import partitions_def, view_on_group
from platform_ml.orchestration.table import table_body

if TYPE_CHECKING:
    import dagster as dg

    from platform_ml.spec.feature_view import FeatureView
    from platform_ml.spec.project import Project


def feature_view_asset(project: Project, view: FeatureView) -> dg.AssetsDefinition:
    """Join labels with what was known at their moment."""
    label = view.label
    described = meanings(label) | view.meanings
    described |= {n: f"Helper, not seen by models: {described[n]}" for n in view.helper_names if n in described}
    columns = {name: [(key(project, label), name)] for name in view.spine_names}
    for name, (group, feature) in view.joined.items():
        # Of events the group stores columns, and what is made of them only the view has.
        read = (feature.columns() or group.keys) if group.of_events else (feature.name,)
        columns[name] = [(key(project, group), column) for column in read]
    groups = [dep(project, group, view_on_group(group, view)) for group in view.groups]
    spec = AssetSpec(
        project=project,
        noun=view,
        description=view.description,
        kinds={"view", "duckdb", "deltalake"},
        partitions=partitions_def(label.cadence),
        deps=[dep(project, label), *groups],
        checks=engine.checks(view),
        metadata={
            "dagster/column_schema": metadata.column_schema(arrow_schema(view.types), described, view.never_null),
            "dagster/column_lineage": metadata.lineage(columns),
            "joined_without_time": ", ".join(engine.not_point_in_time(view)) or "nothing",
        },
    )
    return asset(spec, table_body(project, view, partial(engine.materialize_feature_view, view)))
