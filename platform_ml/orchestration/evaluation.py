"""Evaluations as assets of plain numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from platform_ml.engine import evaluation as engine
from platform_ml.engine import training_dataset as datasets
from platform_ml.engine import tuned_model as models
from platform_ml.engine.explanation_summary import explanation_markdown
from platform_ml.engine.tracked_evaluation import Evaluated, cluster_numbers, interval_numbers, track_evaluation
from platform_ml.orchestration.asset import AssetSpec, asset, data_version, dep, partition_keys
from platform_ml.orchestration.declared import of_evaluation
from platform_ml.orchestration.partitions import partitions_def
from platform_ml.orchestration.tracking import tracked_metadata

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from platform_ml.spec.evaluation import Estimate, Evaluation, EvaluationResult, Slice
    from platform_ml.spec.project import Project


def evaluation_asset(project: Project, evaluation: Evaluation) -> dg.AssetsDefinition:
    """Measure the model on every split, slice and against every baseline."""
    model = evaluation.model

    def body(context: dg.AssetExecutionContext) -> Iterator[object]:
        work = context.resources.platform.work(project.name, context.log.info)
        for cutoff in (keys := partition_keys(context)):
            dataset = datasets.load(model.dataset, cutoff, work=work)
            trained = models.load(model, cutoff, work=work)
            result, artifact = engine.materialize_evaluation(evaluation, cutoff, dataset, trained, work=work)
            recorded = track_evaluation(
                Evaluated(evaluation=evaluation, result=result, artifact=artifact, dataset=dataset, model=trained),
                work=work,
            )
            context.add_asset_metadata(
                _metadata(result) | {"folder": str(artifact.folder)} | tracked_metadata(recorded), partition_key=cutoff
            )
        yield dg.MaterializeResult(data_version=data_version(keys, result.digest))

    spec = AssetSpec(
        project=project,
        noun=evaluation,
        description=evaluation.description,
        kinds={"evaluation", "shap"},
        partitions=partitions_def(model.dataset.cadence),
        deps=[dep(project, model), dep(project, model.dataset)],
        metadata=of_evaluation(evaluation),
    )
    return asset(spec, body)


def _metadata(result: EvaluationResult) -> dict[str, object]:
    """Numbers that Dagster plots over cutoffs, and tables to read."""
    names = list(result.titles)
    lines = ["| on | rows | " + " | ".join(result.titles[name] for name in names) + " |"]
    lines.append("| --- | --: |" + " --: |" * len(names))
    for split, score in result.splits.items():
        lines.append(f"| {split} | {score.rows:,} | " + " | ".join(str(score.metrics[name]) for name in names) + " |")
    for name, baseline in result.baselines.items():
        rows = result.splits["test"].rows
        lines.append(f"| {name} (baseline) | {rows:,} | " + " | ".join(str(baseline.metrics[n]) for n in names) + " |")
    meanings = ["| metric | better | unit | definition |", "| --- | --- | --- | --- |"]
    meanings += [
        f"| {result.titles[n]} | {result.goals[n]} | {m.unit} | {m.definition} |" for n, m in result.meanings.items()
    ]
    parts = {"slices": result.slices, "periods": result.periods, "weak_slices": result.weak_slices}
    numbers = {f"test_{name}": value for name in names if (value := result.test(name).value) is not None}
    numbers |= {f"test_residual_{name}": value for name, value in result.residuals.items()}
    numbers |= interval_numbers(result) | cluster_numbers(result)
    return {
        "metrics": dg.MetadataValue.md("\n".join(lines)),
        "meanings": dg.MetadataValue.md("\n".join(meanings)),
        **{kind: _table(result, rows) for kind, rows in parts.items() if rows or kind == "slices"},
        "explanations": dg.MetadataValue.md(explanation_markdown(result)),
        "latency_p50_ms": float(result.latency_ms["p50"]),
        "latency_p99_ms": float(result.latency_ms["p99"]),
        "size_bytes": result.size_bytes,
        **numbers,
        "top_features": ", ".join(item.feature for item in result.importance[:5]),
    }


def _table(result: EvaluationResult, parts: Sequence[Slice]) -> dg.MetadataValue:
    """The metric that counts on parts of the test rows; what is not defined there has not enough data."""
    name, title = next(iter(result.titles.items()))
    lines = [f"| slice | rows | {title} | gap to all |", "| --- | --: | --: | --: |"]
    lines += [f"| {one.title} | {one.rows:,} | {_said(one.metrics[name])} | {_said(one.gap)} |" for one in parts]
    if result.min_rows:
        lines += ["", f"Fewer than {result.min_rows:,} rows are not enough data."]
    return dg.MetadataValue.md("\n".join(lines))


def _said(estimate: Estimate) -> str:
    return "not enough data" if estimate.value is None else str(estimate)
