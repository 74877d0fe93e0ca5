"""What a project did not let in, as an asset below its sources; and fixed rows let in from the UI."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from platform_ml.engine import quarantine
from platform_ml.engine import source as sources
from platform_ml.engine.quarantine_list import Kept, listed, totals
from platform_ml.orchestration import metadata
from platform_ml.orchestration.asset import dep, partition_keys
from platform_ml.orchestration.layers import OVERVIEW, group
from platform_ml.spec.errors import PlatformError
from platform_ml.spec.fingerprint import SEMANTICS, digest
from platform_ml.spec.naming import counted
from platform_ml.spec.project import QUARANTINE
from platform_ml.spec.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from platform_ml.orchestration.asset import Body
    from platform_ml.spec.project import Project

SHOWN = 200
"""Lines of the table."""
FIXES = {
    "fixes": dg.Field(
        str,
        is_required=False,
        description="A .csv or .jsonl file with row_number and the source's columns: rejected rows of this partition "
        "that were fixed. They are let in with this run, like `platform-ml replay` does.",
    )
}
"""What a run of a source may be told in the launchpad."""


def quarantine_asset(project: Project) -> dg.AssetsDefinition:
    """The list of what is kept aside, as of its last materialization."""
    found = project.all(Source)

    @dg.asset(
        key=dg.AssetKey([project.name, QUARANTINE]),
        description="Rows and whole files that were not let in, by source, partition and reason, and what became of "
        "fixed ones. To let fixed rows in, materialize the partition of the source with the config `fixes: FILE`.",
        group_name=group(project, OVERVIEW),
        owners=[project.owner],
        kinds={"quarantine"},
        tags={"platform_ml/noun": QUARANTINE, "platform_ml/project": project.name},
        metadata={"command": f"platform-ml rejected --project {project.name}"},
        code_version=str(SEMANTICS),
        deps=[dep(project, one, dg.AllPartitionMapping() if one.cadence else None) for one in found],
        required_resource_keys={"platform"},
    )
    def _asset(context):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - Dagster reads real annotations only
        work = context.resources.platform.work(project.name, context.log.info)
        try:
            kept = listed(found, work=work)
        except PlatformError as error:
            raise dg.Failure(description=str(error), allow_retries=False) from error
        return dg.MaterializeResult(
            metadata=_shown(kept), data_version=dg.DataVersion(digest([vars(one) for one in kept]))
        )

    return _asset


def _shown(kept: Sequence[Kept]) -> dict[str, Any]:
    """Counts, which Dagster draws over time, and the table."""
    rows = [(one.source, one.partition, one.state, f"{one.count:,}", one.reason) for one in kept]
    by_source = {
        f"rejected/{name}": sum(one.count for one in kept if (one.source, one.state) == (name, "rejected"))
        for name in dict.fromkeys(one.source for one in kept)
    }
    return {
        **{state.replace(", ", "_").replace(" ", "_"): count for state, count in totals(kept).items()},
        **by_source,
        "kept": metadata.table(("source", "partition", "state", "count", "reason"), rows, most=SHOWN),
    }


def replaying(project: Project, source: Source, body: Body) -> Body:
    """The body of a source that takes the fixes in first, when a run names any."""

    def replay(context: dg.AssetExecutionContext) -> Iterator[object]:
        fixes = (context.op_execution_context.op_config or {}).get("fixes")
        if fixes:
            keys = sources.partitions(source, partition_keys(context))
            if len(keys) != 1:
                raise PlatformError(f"{fixes} is about one partition, and {len(keys)} are chosen. Choose that one.")
            work = context.resources.platform.work(project.name, context.log.info)
            count = quarantine.fix(source, keys[0], Path(fixes), work=work)
            work.say(f"{work.table(source)}, partition {keys[0]}: {counted(count, 'fixed row')} taken in")
        yield from body(context)

    return replay
