"""Findings as Dagster asset checks, one evaluation per partition also in a run over many of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
from dagster import DagsterEvent, DagsterEventType
from dagster._core.events import DagsterEventBatchMetadata, generate_event_batch_id

from platform_ml.engine.ports import WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from platform_ml.engine.audit import Check, Finding


def check_specs(
    key: dg.AssetKey, checks: Sequence[Check], partitions: dg.PartitionsDefinition | None
) -> list[dg.AssetCheckSpec]:
    """The declared checks of an asset, partitioned like the asset: a later pass must not clear an earlier failure."""
    return [
        dg.AssetCheckSpec(
            check.name, asset=key, description=check.description, blocking=check.blocking, partitions_def=partitions
        )
        for check in checks
    ]


def report(context: dg.AssetExecutionContext, findings: Sequence[Finding]) -> Iterator[dg.AssetCheckResult]:
    """Record every finding for its own partition, and each check's result for the run as a whole."""
    many = len({finding.partition for finding in findings}) > 1
    if many:
        record(context, findings)
    for found in _by_check(findings):
        failed = [finding for finding in found if not finding.passed]
        # Whether a failure stops the run is up to each finding: one that is waived only warns.
        worst = next((finding for finding in failed if finding.stops), (failed or found)[0])
        yield dg.AssetCheckResult(
            check_name=worst.check.name,
            passed=not failed,
            severity=_severity(worst.check),
            description=_summary(found, failed) if many else found[0].reason,
            metadata={"partitions": len(found), "failed": len(failed)} if many else dict(found[0].numbers),
        )


def record(context: dg.AssetExecutionContext, findings: Sequence[Finding]) -> None:
    """Write evaluations of single partitions: a range run would otherwise leave them all as planned."""
    step = context.get_step_execution_context()
    batched = getattr(context.instance.event_log_storage, "takes_evaluations", False)  # Dagster's own do not
    batch = generate_event_batch_id()
    for number, finding in enumerate(findings, 1):
        evaluation = dg.AssetCheckEvaluation(
            asset_key=context.asset_key,
            check_name=finding.check.name,
            passed=finding.passed,
            severity=_severity(finding.check),
            description=finding.reason,
            metadata={name: _value(value) for name, value in finding.numbers.items()},
            blocking=finding.check.blocking,
            partition=None if finding.partition == WHOLE else finding.partition,
        )
        DagsterEvent.from_step(
            DagsterEventType.ASSET_CHECK_EVALUATION,
            step,
            evaluation,
            f"{finding.check.name} of {finding.partition} {'passed' if finding.passed else 'failed'}: {finding.reason}",
            DagsterEventBatchMetadata(batch, is_end=number == len(findings)) if batched else None,
        )


def _value(value: float | str) -> dg.MetadataValue:
    """Numbers as numbers, so that Dagster draws them over partitions."""
    if isinstance(value, bool | str):
        return dg.MetadataValue.text(str(value))
    return dg.MetadataValue.int(value) if isinstance(value, int) else dg.MetadataValue.float(float(value))


def _by_check(findings: Sequence[Finding]) -> list[list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.check.name, []).append(finding)
    return list(found.values())


def _summary(found: Sequence[Finding], failed: Sequence[Finding]) -> str:
    passed = f"{len(found) - len(failed):,} of {len(found):,} partitions passed."
    return passed if not failed else f"{passed} The first that did not, {failed[0].partition}: {failed[0].reason}"


def _severity(check: Check) -> dg.AssetCheckSeverity:
    return dg.AssetCheckSeverity.ERROR if check.blocking else dg.AssetCheckSeverity.WARN
