"""Sources as assets, downstream of the files that suppliers deliver."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import dagster as dg

from platform_ml.engine import source as engine
from platform_ml.engine.feed import origin_of
from platform_ml.engine.schema import arrow_schema
from platform_ml.orchestration import metadata
from platform_ml.orchestration.asset import AssetSpec, asset
from platform_ml.orchestration.layers import SOURCES, group
from platform_ml.orchestration.partitions import partitions_def
from platform_ml.orchestration.quarantine import FIXES, replaying
from platform_ml.orchestration.table import table_body
from platform_ml.spec.origin import Feed

if TYPE_CHECKING:
    from platform_ml.spec.project import Project
    from platform_ml.spec.source import Source


def delivered(project: Project, source: Source) -> dg.AssetSpec:
    """What the supplier of a source delivers: made elsewhere, observed here."""
    origin = origin_of(source)
    place = origin.place(Feed(project=project.name, source=source, landing="landing"), "<day>")
    return dg.AssetSpec(
        landing_key(project, source),
        description=f"What the supplier delivers to {place}." if source.format else f"What is read of {place}.",
        group_name=group(project, SOURCES),
        owners=[project.owner],
        kinds={origin.kind, *([source.format.suffix.lstrip(".")] if source.format else [])},
        tags={"platform_ml/noun": "landing", "platform_ml/project": project.name},
        metadata={"dagster/column_schema": _columns(source)},
        partitions_def=partitions_def(source.cadence),
    )


def landing_key(project: Project, source: Source) -> dg.AssetKey:
    """The external asset of a source's files."""
    return dg.AssetKey([project.name, "landing", source.name])


def source_asset(project: Project, source: Source) -> dg.AssetsDefinition:
    """Read, validate and commit delivered files."""
    spec = AssetSpec(
        project=project,
        noun=source,
        description=f"{source.description} Rows that do not fit are kept in {source.name}_rejected with their reasons.",
        kinds={"source", "deltalake"},
        partitions=partitions_def(source.cadence),
        deps=[dg.AssetDep(landing_key(project, source))],
        checks=engine.checks(source),
        metadata={
            "dagster/column_schema": _columns(source),
            "dagster/column_lineage": metadata.lineage(
                {name: [(landing_key(project, source), name)] for name in source.types}
            ),
        },
        config=FIXES,
    )
    body = table_body(project, source, partial(engine.materialize_source, source))
    return asset(spec, replaying(project, source, body))


def _columns(source: Source) -> dg.TableSchema:
    """What is delivered is what is kept, once it is checked."""
    required = [column.name for column in source.columns if not column.nullable]
    described = {
        column.name: f"{column.description} {f'[{column.unit}]' if column.unit else ''}".strip()
        for column in source.columns
    }
    return metadata.column_schema(arrow_schema(source.types), described, required)
