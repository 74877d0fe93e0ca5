"""Policies of all assets, in one place: naming, ownership, kinds, code version, and how a run ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dagster as dg

from platform_ml.engine.validation import reported
from platform_ml.orchestration.automation import condition
from platform_ml.orchestration.checks import check_specs
from platform_ml.orchestration.freshness import freshness
from platform_ml.orchestration.layers import group, layer
from platform_ml.orchestration.pools import pool
from platform_ml.spec.errors import PlatformError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.project import referred

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from platform_ml.engine.audit import Check, Finding
    from platform_ml.spec.project import Noun, Project

    Body = Callable[[dg.AssetExecutionContext], Any]


@dataclass(frozen=True, kw_only=True)
class AssetSpec:
    """What differs from asset to asset."""

    project: Project
    noun: Noun
    description: str
    kinds: set[str]
    partitions: dg.PartitionsDefinition | None
    deps: Sequence[dg.AssetDep]
    checks: Sequence[Check] = ()
    metadata: Mapping[str, Any] | None = None
    version: str | None = None
    """The fingerprint, where it is not that of the noun alone."""
    config: Mapping[str, dg.Field] | None = None
    """What a run may be told."""

    @property
    def key(self) -> dg.AssetKey:
        """project/name."""
        return key(self.project, self.noun)


def key(project: Project, noun: Noun) -> dg.AssetKey:
    """The asset of a declaration."""
    return dg.AssetKey([project.name, noun.name])


def dep(project: Project, noun: Noun, mapping: dg.PartitionMapping | None = None) -> dg.AssetDep:
    """An upstream asset and the partitions that are read of it."""
    return dg.AssetDep(key(project, noun), partition_mapping=mapping)


def asset(spec: AssetSpec, body: Body) -> dg.AssetsDefinition:
    """The Dagster asset of a declaration."""

    @dg.asset(
        key=spec.key,
        description=spec.description,
        group_name=group(spec.project, layer(spec.noun)),
        owners=[spec.project.owner],
        kinds=spec.kinds,
        tags={"platform_ml/noun": _noun_tag(spec.noun), "platform_ml/project": spec.project.name},
        code_version=spec.version or fingerprint(spec.noun),
        partitions_def=spec.partitions,
        backfill_policy=dg.BackfillPolicy.single_run() if spec.partitions else None,
        deps=[*spec.deps, *_referred(spec)],
        check_specs=check_specs(spec.key, [*spec.checks, *reported(spec.noun)], spec.partitions),
        metadata=spec.metadata,
        automation_condition=condition(spec.project, spec.noun),
        freshness_policy=freshness(spec.noun),
        required_resource_keys={"platform"},
        config_schema=dict(spec.config or {}),
        output_required=False,
        pool=pool(spec.noun),
    )
    def _asset(context):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - Dagster reads real annotations only
        try:
            yield from body(context)
        except PlatformError as error:  # foreseen: the sentence is what a user needs, and trying again would not help
            raise dg.Failure(description=str(error), allow_retries=False) from error

    return _asset


def partition_keys(context: dg.AssetExecutionContext) -> list[str]:
    """The partitions that this run is about; none for an asset without partitions, whatever it runs along with."""
    if context.assets_def.partitions_def is None:
        return []
    keys = list(context.partition_keys)
    if not keys:
        first, last = context.partition_key_range
        raise dg.Failure(
            description=f"The range {first}...{last} ends before it begins. Exchange its ends.",
            allow_retries=False,
        )
    return keys


def data_version(keys: Sequence[str], content: str) -> dg.DataVersion | None:
    """What tells assets downstream that something changed; many partitions cannot share one, so they have Dagster's."""
    return dg.DataVersion(content) if len(keys) == 1 else None


def stop(findings: Sequence[Finding]) -> dg.Failure:
    """Why nothing was committed."""
    first = findings[0]
    more = f" And {len(findings) - 1} more." if len(findings) > 1 else ""
    return dg.Failure(
        description=f"{first.check.name}, partition {first.partition}: {first.reason}{more} Earlier data is as it was.",
        metadata={"failed_checks": ", ".join(sorted({finding.check.name for finding in findings}))},
        allow_retries=False,
    )


def _referred(spec: AssetSpec) -> list[dg.AssetDep]:
    """What only its checks read has to be there first, too."""
    known = {one.asset_key for one in spec.deps}
    return [dep(spec.project, one) for one in dict.fromkeys(referred(spec.noun)) if key(spec.project, one) not in known]


def _noun_tag(noun: Noun) -> str:
    return "".join("_" + c.lower() if c.isupper() else c for c in type(noun).__name__).lstrip("_")
