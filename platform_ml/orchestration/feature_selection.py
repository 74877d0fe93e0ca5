"""Feature selections as assets: the ranked list with a reason for each feature."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from platform_ml.engine import feature_selection as engine
from platform_ml.engine import training_dataset as datasets
from platform_ml.orchestration.asset import AssetSpec, asset, data_version, dep, partition_keys
from platform_ml.orchestration.environment import environment
from platform_ml.orchestration.lineage import SHORT
from platform_ml.orchestration.partitions import partitions_def

if TYPE_CHECKING:
    from collections.abc import Iterator

    from platform_ml.engine.chosen import Chosen
    from platform_ml.spec.feature_selection import FeatureSelection
    from platform_ml.spec.project import Project


def feature_selection_asset(project: Project, selection: FeatureSelection) -> dg.AssetsDefinition:
    """Rank the features on training rows, and publish which are kept and why."""

    def body(context: dg.AssetExecutionContext) -> Iterator[object]:
        work = context.resources.platform.work(project.name, context.log.info)
        made_by = environment() | {"dagster_run": context.run.run_id}
        for cutoff in (keys := partition_keys(context)):
            dataset = datasets.load(selection.dataset, cutoff, work=work)
            chosen, artifact = engine.materialize_feature_selection(
                selection, cutoff, dataset, work=work, made_by=made_by
            )
            context.add_asset_metadata(
                {
                    "version": artifact.digest[:SHORT],
                    "dataset": dataset.digest[:SHORT],
                    "method": chosen.method,
                    "rule": chosen.rule,
                    "kept": len(chosen.kept),
                    "dropped": len(chosen.dropped),
                    "features": dg.MetadataValue.md(_table(chosen)),
                    "notes": " ".join(chosen.notes) or "none",
                    "folder": dg.MetadataValue.path(str(artifact.folder)),
                },
                partition_key=cutoff,
            )
        yield dg.MaterializeResult(data_version=data_version(keys, artifact.digest))

    spec = AssetSpec(
        project=project,
        noun=selection,
        description=f"{selection.description} {selection.rule}",
        kinds={"selection", selection.method.name},
        partitions=partitions_def(selection.dataset.cadence),
        deps=[dep(project, selection.dataset)],
    )
    return asset(spec, body)


def _table(chosen: Chosen) -> str:
    lines = ["| place | feature | score | kept | reason |", "| --: | --- | --: | --- | --- |"]
    lines += [
        f"| {place} | `{pick.feature}` | {pick.score:.4g} | {'yes' if pick.kept else 'no'} | {_cell(pick.reason)} |"
        for place, pick in enumerate(chosen.picks, start=1)
    ]
    return "\n".join(lines)


def _cell(text: str) -> str:
    """Words of others, in one cell."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
