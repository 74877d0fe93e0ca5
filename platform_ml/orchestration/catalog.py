"""The catalog of each project as an asset, downstream of everything that it lists."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg

from platform_ml.engine import catalog_artifact as engine
from platform_ml.engine import catalog_page
from platform_ml.engine.catalog import KINDS
from platform_ml.orchestration.asset import dep
from platform_ml.orchestration.layers import OVERVIEW, group
from platform_ml.spec.errors import PlatformError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.project import CATALOG

if TYPE_CHECKING:
    from platform_ml.spec.project import Project


def catalog_key(project: Project) -> dg.AssetKey:
    """project/catalog."""
    return dg.AssetKey([project.name, CATALOG])


def catalog_asset(project: Project) -> dg.AssetsDefinition:
    """What the project declares and what there is of it, as a page to search; it has no partitions."""

    @dg.asset(
        key=catalog_key(project),
        description=(
            f"What {project.name} declares, as a page to search: versions, columns and features with units and "
            "meanings, rows, quality, freshness, and who uses what."
        ),
        group_name=group(project, OVERVIEW),
        owners=[project.owner],
        kinds={"catalog", "html"},
        tags={"platform_ml/noun": CATALOG, "platform_ml/project": project.name},
        metadata={"command": f"platform-ml catalog {project.name}"},
        code_version=fingerprint(project),
        deps=[dep(project, noun) for noun in project.nouns if type(noun) in KINDS],
        required_resource_keys={"platform"},
    )
    def _catalog(context):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - Dagster reads real annotations only
        try:
            return _written(context, project)
        except PlatformError as error:
            raise dg.Failure(description=str(error), allow_retries=False) from error

    return _catalog


def _written(context: dg.AssetExecutionContext, project: Project) -> dg.MaterializeResult:
    work = context.resources.platform.work(project.name, context.log.info)
    found, artifact = engine.materialize_catalog(project, work=work, day=datetime.now(UTC).date())
    scores = {
        f"feature_quality_score/{item.name}": item.quality.score for item in found.items if item.quality is not None
    }
    return dg.MaterializeResult(
        metadata={
            "summary": dg.MetadataValue.md(catalog_page.markdown(found)),
            "html": dg.MetadataValue.path(str(artifact.folder / engine.PAGE)),
            "folder": dg.MetadataValue.path(str(artifact.folder)),
            **catalog_page.counts(found),
            **scores,
        },
        data_version=dg.DataVersion(artifact.digest),
    )
