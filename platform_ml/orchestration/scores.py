"""Scores as assets: batch inference with the model in use, one partition a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg

from platform_ml.engine import scores as engine
from platform_ml.engine.schema import arrow_schema
from platform_ml.orchestration import metadata
from platform_ml.orchestration.asset import AssetSpec, asset, dep, key
from platform_ml.orchestration.environment import environment
from platform_ml.orchestration.feature_group import of_event
from platform_ml.orchestration.partitions import population_on_source, scored_at, view_on_group
from platform_ml.orchestration.table import table_body
from platform_ml.orchestration.tracking import run_tags
from platform_ml.spec.feature_group import EVENT_TIME
from platform_ml.spec.scores import SCORE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Stamp
    from platform_ml.engine.table import Materialized
    from platform_ml.spec.project import Project
    from platform_ml.spec.scores import Scores


def scores_asset(project: Project, scores: Scores) -> dg.AssetsDefinition:
    """Score the population of each moment with the version that the alias points at when the run begins."""
    view, source = scores.view, scores.source
    made_of = [(key(project, group), name) for name, (group, _) in view.joined.items() if name in view.feature_names]
    origin = {name: [(key(project, source), name)] for name in scores.key if name in source.types}
    origin |= {EVENT_TIME: [(key(project, source), str(source.event_time))], SCORE: made_of}
    described = {name: of_event(name, source, ()) for name in scores.key} | scores.meanings
    spec = AssetSpec(
        project=project,
        noun=scores,
        description=f"{scores.description} {view.label.population}",
        kinds={"scores", "deltalake", "mlflow"},
        partitions=scored_at(scores),
        deps=[
            dep(project, scores.registration, dg.LastPartitionMapping()),
            dep(project, source, population_on_source(view.label)),
            *(dep(project, group, view_on_group(group, view)) for group in view.groups),
        ],
        checks=engine.checks(scores),
        metadata={
            "dagster/column_schema": metadata.column_schema(
                arrow_schema(scores.columns), described, list(scores.columns)
            ),
            "dagster/column_lineage": metadata.lineage(origin),
            "registered_model": scores.registration.name,
            "version": str(scores.version or scores.registration.alias),
        },
    )

    def body(context: dg.AssetExecutionContext) -> Iterator[object]:
        def materialize(keys: Sequence[str], *, work: Work, stamp: Stamp) -> list[Materialized]:
            made_by = environment() | run_tags(context)
            done = engine.materialize_scores(scores, keys, work=work, stamp=stamp, made_by=made_by)
            if not any(one.stopped for one in done):
                for moment in keys:
                    said = engine.record_of(scores, moment, work=work).record
                    context.add_asset_metadata(_described(said), partition_key=moment)
            return done

        yield from table_body(project, scores, materialize)(context)

    return asset(spec, body)


def _described(record: Mapping[str, Any]) -> dict[str, Any]:
    """By which model the scores of a partition were made, and from what."""
    model = record["model"]
    return {
        "model": f"{model['registered_as']}@{model['version']}",
        "model_version": model["version"],
        "model_digest": model["model"],
        "trained_until": model["cutoff"],
        "dataset": model["dataset"],
        "features_content": record["features_content"],
        "tables": dg.MetadataValue.json({name: one["version"] for name, one in record["tables"].items()}),
        **({"classes": ", ".join(record["classes"])} if record["classes"] else {}),
    }
