"""Leader boards as assets: which families competed for a model, and why one of them was chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg

from platform_ml.engine import leader_board as engine
from platform_ml.orchestration.asset import AssetSpec, asset, data_version, dep, partition_keys
from platform_ml.orchestration.partitions import partitions_def

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from platform_ml.spec.leader_board import LeaderBoard
    from platform_ml.spec.project import Project


def leader_board_asset(project: Project, board: LeaderBoard) -> dg.AssetsDefinition:
    """Publish what the families of a model scored and cost when it was trained."""
    model, says = board.model, board.model.choice.says
    lowered = f"{says[0].lower()}{says[1:]}"

    def body(context: dg.AssetExecutionContext) -> Iterator[object]:
        work = context.resources.platform.work(project.name, context.log.info)
        for cutoff in (keys := partition_keys(context)):
            artifact = engine.materialize_leader_board(board, cutoff, work=work)
            said = engine.load(board, cutoff, work=work)
            context.add_asset_metadata(
                _metadata(said) | {"folder": dg.MetadataValue.path(str(artifact.folder))}, partition_key=cutoff
            )
        yield dg.MaterializeResult(data_version=data_version(keys, artifact.digest))

    spec = AssetSpec(
        project=project,
        noun=board,
        description=f"The families that compete for {model.name}, side by side. Chosen: {lowered}",
        kinds={"leaderboard"},
        partitions=partitions_def(model.dataset.cadence),
        deps=[dep(project, model)],
    )
    return asset(spec, body)


def _metadata(said: Mapping[str, Any]) -> dict[str, Any]:
    """The table, and numbers that Dagster draws over cutoffs."""
    scores = {
        f"validation_{said['metric']}/{one['name']}": one["score"]["value"]
        for one in said["families"]
        if one.get("score", {}).get("value") is not None
    }
    return {"chosen": said["chosen"], "why": said["why"], "board": dg.MetadataValue.md(engine.markdown(said)), **scores}
