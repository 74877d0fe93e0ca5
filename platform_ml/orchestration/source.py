"""Sources as assets, downstream of the files that suppliers deliver."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from platform_ml.engine import source as engine
from platform_ml.engine.feed import origin_of
from platform_ml.engine.schema import arrow_schema
from platform_ml.orchestration import metadata
from platform_ml.orchestration.asset import AssetSpec, asset
from platform_ml.orchestration.partitions import partitions_def
from platform_ml.orchestration.table import table_body
from platform_ml.spec.origin import Feed

if TYPE_CHECKING:
    from platform_ml.spec.project import Project
    from platform_ml.spec.source import Source


def delivered(project: Project, source: Source) -> dg.AssetSpec:
    """The files or the database table of a source: made elsewhere, observed here."""
    if source.format is None:
        return _queried(project, source)
    suffix = source.format.suffix
    name = f"{source.name}/<day>{suffix}" if source.cadence else f"{source.name}{suffix}"
    return dg.AssetSpec(
        landing_key(project, source),
        description=f"Files that the supplier delivers to landing/{project.name}/{name}.",
        group_name=project.name,
        owners=[project.owner],
        kinds={"file", suffix.lstrip(".")},
        partitions_def=partitions_def(source.cadence),
    )


def _queried(project: Project, source: Source) -> dg.AssetSpec:
    origin = origin_of(source)
    place = origin.place(Feed(project=project.name, source=source, landing=Path()), "")
    what = "rows whose event time is in the partition" if source.cadence else "all rows"
    return dg.AssetSpec(
        landing_key(project, source),
        description=f"{place[0].upper()}{place[1:]}: {what}.",
        group_name=project.name,
        owners=[project.owner],
        kinds={origin.kind},
        partitions_def=partitions_def(source.cadence),
    )


def landing_key(project: Project, source: Source) -> dg.AssetKey:
    """The external asset of a source's files."""
    return dg.AssetKey([project.name, "landing", source.name])


def source_asset(project: Project, source: Source) -> dg.AssetsDefinition:
    """Read, validate and commit delivered files."""
    required = [column.name for column in source.columns if not column.nullable]
    described = {
        column.name: f"{column.description} {f'[{column.unit}]' if column.unit else ''}".strip()
        for column in source.columns
    }
    spec = AssetSpec(
        project=project,
        noun=source,
        description=f"{source.description} Rows that do not fit are kept in {source.name}_rejected with their reasons.",
        kinds={"source", "deltalake"},
        partitions=partitions_def(source.cadence),
        deps=[dg.AssetDep(landing_key(project, source))],
        checks=engine.checks(source),
        metadata={"dagster/column_schema": metadata.column_schema(arrow_schema(source.types), described, required)},
    )
    return asset(spec, table_body(project, source, partial(engine.materialize_source, source)))
