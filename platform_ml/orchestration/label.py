"""Labels as assets."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from platform_ml.engine import labels as engine
from platform_ml.engine.schema import arrow_schema
from platform_ml.orchestration import metadata
from platform_ml.orchestration.asset import AssetSpec, asset, dep, key
from platform_ml.orchestration.feature_group import of_event, origins
from platform_ml.orchestration.partitions import label_on_source, partitions_def
from platform_ml.orchestration.table import table_body
from platform_ml.spec.event_label import EventLabel
from platform_ml.spec.feature_group import EVENT_TIME
from platform_ml.spec.label import KNOWN_TIME

if TYPE_CHECKING:
    import dagster as dg

    from platform_ml.spec.label import Label
    from platform_ml.spec.project import Project


def label_asset(project: Project, label: Label | EventLabel) -> dg.AssetsDefinition:
    """Compute and commit outcomes that are known by now."""
    types = label.columns
    never_null = [*label.key, label.entity, EVENT_TIME, label.name, KNOWN_TIME]
    described = {}
    if isinstance(label, EventLabel):
        described = {name: of_event(name, label.source, label.derived) for name in types}
    described |= {
        label.name: label.meaning,
        EVENT_TIME: "The moment that is predicted from.",
        KNOWN_TIME: "When the outcome became known, at the latest at the end of its horizon.",
    }
    spec = AssetSpec(
        project=project,
        noun=label,
        description=label.description,
        kinds={"label", "duckdb", "deltalake"},
        partitions=partitions_def(label.cadence),
        deps=[dep(project, label.source, label_on_source(label))],
        checks=engine.checks(label),
        metadata={
            "dagster/column_schema": metadata.column_schema(arrow_schema(types), described, never_null),
            "dagster/column_lineage": _lineage(project, label),
            "horizon_days": label.horizon_days,
        },
    )
    return asset(spec, table_body(project, label, partial(engine.materialize, label)))


def _lineage(project: Project, label: Label | EventLabel) -> dg.TableColumnLineage:
    time = str(label.source.event_time)
    if isinstance(label, EventLabel):
        origin = origins(project, label.source, label.derived)
        own = {name: origin(name) for name in label.columns if name in label.all_types}
        outcome = {label.name: origin(label.event.value), KNOWN_TIME: origin(label.event.known)}
        return metadata.lineage(own | {EVENT_TIME: origin(time)} | outcome)
    made_of = [(key(project, label.source), column) for column in (label.entity, time)]
    return metadata.lineage({label.entity: made_of[:1], label.name: made_of})
