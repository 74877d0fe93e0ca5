"""Training datasets as assets, one partition per cutoff."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from platform_ml.engine import dataset_checks
from platform_ml.engine import training_dataset as engine
from platform_ml.engine.ports import WHOLE
from platform_ml.engine.schema import arrow_schema
from platform_ml.orchestration import metadata
from platform_ml.orchestration.asset import AssetSpec, asset, data_version, dep, key, partition_keys, stop
from platform_ml.orchestration.checks import record, report
from platform_ml.orchestration.environment import environment
from platform_ml.orchestration.label import meanings
from platform_ml.orchestration.partitions import dataset_on_view, partitions_def
from platform_ml.spec.schema import Text
from platform_ml.spec.training_dataset import SPLIT, SPLITS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from platform_ml.engine.audit import Finding
    from platform_ml.spec.project import Project
    from platform_ml.spec.training_dataset import TrainingDataset


def training_dataset_asset(project: Project, dataset: TrainingDataset) -> dg.AssetsDefinition:
    """Cut the view at a cutoff and publish the rows with their manifest."""

    def body(context: dg.AssetExecutionContext) -> Iterator[object]:
        work = context.resources.platform.work(project.name, context.log.info)
        made_by = environment() | {"dagster_run": context.run.run_id}
        findings: list[Finding] = []
        for cutoff in (keys := partition_keys(context)):
            built = engine.materialize_training_dataset(dataset, cutoff, work=work, made_by=made_by)
            findings += built.findings
            if built.artifact is None:
                record(context, findings)
                raise stop([finding for finding in built.findings if finding.stops])
            content, splits = built.artifact.digest, built.artifact.record["split"]["splits"]
            context.add_asset_metadata(
                {
                    "dagster/row_count": sum(split["rows"] for split in splits.values()),
                    "version": content,
                    "manifest": dg.MetadataValue.path(str(built.artifact.folder / "record.json")),
                    "splits": dg.MetadataValue.md(_splits(splits)),
                    "rule": built.artifact.record["split"]["rule"],
                    "preview": metadata.preview(built.preview),
                    **metadata.measured(built.statistics[WHOLE]),
                    **{f"statistics/{name}": metadata.columns(built.statistics[name])["statistics"] for name in SPLITS},
                },
                partition_key=cutoff,
            )
        yield dg.MaterializeResult(
            data_version=data_version(keys, content), check_results=list(report(context, findings))
        )

    spec = AssetSpec(
        project=project,
        noun=dataset,
        description=f"{dataset.description} {dataset.rule()}",
        kinds={"dataset", "parquet"},
        partitions=partitions_def(dataset.cadence),
        deps=[dep(project, dataset.view, dataset_on_view(dataset))],
        checks=dataset_checks.checks(dataset),
        metadata={
            "dagster/column_schema": metadata.column_schema(
                arrow_schema(dataset.view.types | {SPLIT: Text()}),
                meanings(dataset.view.label)
                | dataset.view.meanings
                | {SPLIT: "Train, validation or test; rows of a gap are left out."},
                [*dataset.view.never_null, SPLIT],
            ),
            "dagster/column_lineage": metadata.lineage(
                {name: [(key(project, dataset.view), name)] for name in dataset.view.types}
            ),
            "gap_days": dataset.gap_days,
            "windows_may_overlap": dataset.windows_may_overlap or "no",
            "random_split": dataset.random_split_because or "no",
        },
    )
    return asset(spec, body)


def _splits(splits: dict[str, dict[str, object]]) -> str:
    lines = ["| split | rows | mean label | first | last | outcomes known |", "| --- | --: | --: | --- | --- | --- |"]
    lines += [
        f"| {name} | {s['rows']:,} | {_mean(s['mean_label'])} | {s['first']} | {s['last']} | {s['outcomes_known']} |"
        for name, s in ((name, splits[name]) for name in SPLITS)
    ]
    return "\n".join(lines)


def _mean(label: object) -> str:
    return f"{label:.4g}" if isinstance(label, int | float) else "classes"
