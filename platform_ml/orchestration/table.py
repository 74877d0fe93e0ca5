"""The body that all table assets share: materialize, report checks, describe partitions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import dagster as dg

from platform_ml.engine.ports import CREATED, PARTITION, SEQUENCE, WHOLE
from platform_ml.orchestration import metadata
from platform_ml.orchestration.asset import data_version, partition_keys, stop
from platform_ml.orchestration.checks import record, report
from platform_ml.orchestration.resources import stamp
from platform_ml.spec.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Snapshot, Stamp
    from platform_ml.engine.table import Materialized
    from platform_ml.spec.project import Noun, Project
    from platform_ml.spec.statistics import PartitionStatistics


class Materialize(Protocol):
    """An engine function that fills partitions of a table."""

    def __call__(self, keys: Sequence[str], *, work: Work, stamp: Stamp) -> list[Materialized]:
        """What became of each chunk of partitions."""
        ...


def table_body(
    project: Project, noun: Noun, materialize: Materialize
) -> Callable[[dg.AssetExecutionContext], Iterator[object]]:
    """Run the engine, then say in Dagster what came of it."""

    def body(context: dg.AssetExecutionContext) -> Iterator[object]:
        keys = partition_keys(context) or [WHOLE]
        work = context.resources.platform.work(project.name, context.log.info)
        results = materialize(keys, work=work, stamp=stamp(context, noun))
        findings = [finding for result in results for finding in result.findings]
        stopped = [finding for result in results for finding in result.stopped]
        for result in results:
            _describe(context, result)
        if stopped:
            record(context, findings)
            raise stop(stopped)
        snapshot = next(result.snapshot for result in reversed(results) if result.snapshot)
        yield dg.MaterializeResult(
            metadata=_summary(snapshot, keys, work, results[-1].statistics.get(keys[-1])),
            data_version=data_version(keys, snapshot.partitions[keys[0]].content),
            check_results=list(report(context, findings)),
        )

    return body


def _describe(context: dg.AssetExecutionContext, result: Materialized) -> None:
    if result.snapshot is None:
        return
    for key in dict.fromkeys(finding.partition for finding in result.findings if finding.partition != WHOLE):
        state = result.snapshot.partitions[key]
        described = metadata.of_partition(result.snapshot, state) | metadata.measured(result.statistics.get(key))
        context.add_asset_metadata(described, partition_key=key)


def _summary(
    snapshot: Snapshot, keys: Sequence[str], work: Work, measured: PartitionStatistics | None
) -> dict[str, Any]:
    """What is shown for the run: the last partition's rows, and totals of all of them."""
    from platform_ml.engine.ports import Files

    last = Files(paths=snapshot.paths(keys[-1:]), schema=snapshot.schema)
    own = (PARTITION, CREATED, SEQUENCE)
    columns = ", ".join(identifier(name) for name in snapshot.schema.names if name not in own)
    rows = work.platform.compute.query(f"SELECT {columns} FROM rows LIMIT 5", {"rows": last}).table()
    described: dict[str, Any] = {
        "preview": metadata.preview(rows),
        "table": dg.MetadataValue.path(str(snapshot.folder)),
        **metadata.columns(measured),
    }
    if keys == [WHOLE]:
        described |= metadata.of_partition(snapshot, snapshot.partitions[WHOLE]) | metadata.measured(measured)
    return described
