"""A plan as one backfill of Dagster, which the daemon works off: it goes on after a restart, and can be canceled."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph_subset import AssetGraphSubset
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus, PartitionBackfill
from dagster._core.utils import make_new_backfill_id
from dagster._daemon.controller import get_daemon_statuses

from platform_ml.orchestration.partitions import partitions_def
from platform_ml.orchestration.requests import REQUEST_TAG, token
from platform_ml.spec.errors import PlatformError
from platform_ml.spec.fingerprint import digest
from platform_ml.spec.naming import counted
from platform_ml.spec.reason import DETAIL_TAG, REASON_TAG, Reason

if TYPE_CHECKING:
    from platform_ml.engine.plan import Plan

NEEDED = ("BACKFILL", "QUEUED_RUN_COORDINATOR")


def submit(found: Plan, instance: dg.DagsterInstance) -> int:
    """Hand all steps of a plan to the daemon, unless it is working off the very same already."""
    statuses = get_daemon_statuses(instance, NEEDED)
    if not all(status.healthy for status in statuses.values() if status.required):
        raise PlatformError("No daemon is running that could take it. Start `dagster-daemon run`, or drop --queue.")
    if not found.steps:
        print(f"{found.project}: nothing has to be made.")
        return 0
    asked = digest(sorted(token(step) for step in found.steps))[:20]
    going_on = BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED])
    for one in instance.get_backfills(filters=going_on):
        if one.tags.get(REQUEST_TAG) == asked:
            print(f"{found.project}: backfill {one.backfill_id} is making just that.")
            return 0
    count = sum(step.size for step in found.steps)
    detail = f"platform-ml backfill: {counted(count, 'partition')} in {counted(len(found.steps), 'step')}"
    backfill = PartitionBackfill.from_asset_graph_subset(
        backfill_id=make_new_backfill_id(),
        backfill_timestamp=time.time(),
        tags={REASON_TAG: str(Reason.MANUAL), DETAIL_TAG: detail, REQUEST_TAG: asked},
        dynamic_partitions_store=instance,
        asset_graph_subset=subset(found),
        title=f"{found.project}: what is missing or stale",
        description=None,
        run_config=None,
    )
    instance.add_backfill(backfill)
    print(f"{found.project}: backfill {backfill.backfill_id} of {counted(count, 'partition')} is queued.")
    return 0


def subset(found: Plan) -> AssetGraphSubset:
    """The assets and partitions of a plan."""
    keys: dict[dg.AssetKey, set[str]] = {}
    definitions: dict[dg.AssetKey, dg.PartitionsDefinition | None] = {}
    for step in found.steps:
        for noun in step.made:
            asset = dg.AssetKey([found.project, noun])
            keys.setdefault(asset, set()).update(step.keys)
            definitions[asset] = partitions_def(step.cadence)
    return AssetGraphSubset(  # type: ignore[call-arg]  # its defaults are not seen
        partitions_subsets_by_asset_key={
            asset: partitions.subset_with_partition_keys(keys[asset])
            for asset, partitions in definitions.items()
            if partitions is not None
        },
        non_partitioned_asset_keys={asset for asset, partitions in definitions.items() if partitions is None},
    )
