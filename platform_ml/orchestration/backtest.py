"""Backtests as assets: one picture of the models of many cutoffs, with a check that they do not get worse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from platform_ml.engine import backtest as engine
from platform_ml.engine.backtest_page import markdown
from platform_ml.engine.walk import State
from platform_ml.orchestration.asset import AssetSpec, asset, dep
from platform_ml.orchestration.checks import report
from platform_ml.orchestration.declared import of_backtest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from platform_ml.spec.backtest import Backtest
    from platform_ml.spec.project import Project


def backtest_asset(project: Project, backtest: Backtest) -> dg.AssetsDefinition:
    """Put the evaluations of its cutoffs side by side; it has no partitions and trains nothing."""

    def body(context: dg.AssetExecutionContext) -> Iterator[object]:
        work = context.resources.platform.work(project.name, context.log.info)
        found, artifact = engine.materialize_backtest(backtest, work=work)
        worse = found.trend.worsening.value
        yield dg.MaterializeResult(
            metadata={
                "backtest": dg.MetadataValue.md(markdown(found)),
                "html": dg.MetadataValue.path(str(artifact.folder / engine.PAGE)),
                "folder": dg.MetadataValue.path(str(artifact.folder)),
                "cutoffs": len(found.points),
                "missing": found.count(State.MISSING),
                "stale": found.count(State.STALE, State.OTHER),
                "refused": sum(bool(point.stopped) for point in found.points),
                **({} if worse is None else {"worsening": worse}),
            },
            data_version=dg.DataVersion(artifact.digest),
            check_results=list(report(context, [found.finding])),
        )

    spec = AssetSpec(
        project=project,
        noun=backtest,
        description=backtest.description,
        kinds={"backtest"},
        metadata=of_backtest(project, backtest),
        partitions=None,
        deps=[dep(project, backtest.evaluation, _cutoffs(backtest))],
        checks=[engine.check(backtest)],
    )
    return asset(spec, body)


def _cutoffs(backtest: Backtest) -> dg.PartitionMapping:
    """The cutoffs that it reads; of a cadence without end every one is at some time among the last."""
    if backtest.dataset.cadence.last is None and isinstance(backtest.cutoffs, int):
        return dg.AllPartitionMapping()
    return dg.SpecificPartitionsPartitionMapping(engine.cutoffs_of(backtest))
