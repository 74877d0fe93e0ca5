"""Tuned models as assets: search, fit, publish, and remember the runs in the tracker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg

from platform_ml.engine import training_dataset as datasets
from platform_ml.engine import tuned_model as engine
from platform_ml.orchestration.asset import AssetSpec, asset, data_version, dep, partition_keys
from platform_ml.orchestration.declared import of_model
from platform_ml.orchestration.environment import environment, machine
from platform_ml.orchestration.lineage import SHORT
from platform_ml.orchestration.partitions import partitions_def
from platform_ml.orchestration.tracking import run_metadata, run_tags
from platform_ml.spec.project import upstream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from platform_ml.spec.project import Project
    from platform_ml.spec.tuned_model import TunedModel


def tuned_model_asset(project: Project, model: TunedModel) -> dg.AssetsDefinition:
    """Search hyper-parameters on validation rows and publish the best model in its native format."""

    def body(context: dg.AssetExecutionContext) -> Iterator[object]:
        work = context.resources.platform.work(project.name, context.log.info)
        made_by = environment() | machine() | run_tags(context)
        for cutoff in (keys := partition_keys(context)):
            dataset = datasets.load(model.dataset, cutoff, work=work)
            artifact = engine.materialize_tuned_model(model, cutoff, dataset, work=work, made_by=made_by)
            record = artifact.record
            context.add_asset_metadata(
                {
                    "version": artifact.digest[:SHORT],
                    f"validation_{model.metric.name}": float(record["search"]["best_score"]),
                    "trials": record["search"]["trials"],
                    "search_ended": record["search"]["ended"],
                    "pruned_trials": record["search"]["pruned"],
                    "family": record["family"],
                    **_folds(record["cross_validation"]),
                    "params": dg.MetadataValue.json(record["params"]),
                    "dataset": dataset.digest[:SHORT],
                    "onnx": record["onnx"]["reason"],
                    "size_bytes": (artifact.folder / record["model_file"]).stat().st_size,
                    "folder": dg.MetadataValue.path(str(artifact.folder)),
                    **run_metadata(artifact, work),
                },
                partition_key=cutoff,
            )
        yield dg.MaterializeResult(data_version=data_version(keys, artifact.digest))

    spec = AssetSpec(
        project=project,
        noun=model,
        description=model.description,
        kinds={"model", *(one.family.name for one in model.competitors.values()), "optuna", "mlflow"},
        partitions=partitions_def(model.dataset.cadence),
        deps=[dep(project, noun) for noun in upstream(model)],
        metadata=of_model(model),
    )
    return asset(spec, body)


def _folds(said: Mapping[str, Any] | None) -> dict[str, Any]:
    """Mean and spread, which Dagster draws over cutoffs, and the folds."""
    if said is None:
        return {}
    lines = [f"| Fold | Judged on | Rows | {said['title']} |", "| --: | --- | --: | --- |"]
    for one in said["folds"]:
        score = one["reason"] if one["score"] is None else f"{one['score']:.4f}"
        lines.append(f"| {one['number']} | {one['first']} to {one['last']} | {one['validation_rows']:,} | {score} |")
    known = {f"cv_{name}": said[name] for name in ("mean", "std") if said[name] is not None}
    return known | {"folds": dg.MetadataValue.md("\n".join(lines))}
