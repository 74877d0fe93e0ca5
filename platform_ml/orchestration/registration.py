"""Registered models as assets: the last step, which judges the gates again before it lets anything in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from platform_ml.engine import evaluation as evaluations
from platform_ml.engine import registration as engine
from platform_ml.engine import tuned_model as models
from platform_ml.engine.manifest import TAG
from platform_ml.orchestration.asset import AssetSpec, asset, data_version, dep, partition_keys
from platform_ml.orchestration.card_index import keep
from platform_ml.orchestration.declared import of_registration
from platform_ml.orchestration.environment import environment
from platform_ml.orchestration.lineage import SHORT, lineage_metadata
from platform_ml.orchestration.partitions import partitions_def
from platform_ml.orchestration.promotion import run_actor
from platform_ml.spec.registration import Approved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from platform_ml.spec.project import Project
    from platform_ml.spec.registration import Registration


def registration_asset(project: Project, registration: Registration) -> dg.AssetsDefinition:
    """Register the model with its card, if its gates pass now."""
    card = registration.card
    model = card.evaluation.model

    def body(context: dg.AssetExecutionContext) -> Iterator[object]:
        work = context.resources.platform.work(project.name, context.log.info)
        for cutoff in (keys := partition_keys(context)):
            result = evaluations.load(card.evaluation, cutoff, work=work)
            # A blocking check stops only its own run: a later run of this asset alone comes here all the same.
            approved = Approved.by(registration, result)
            trained = models.load(model, cutoff, work=work)
            registered = engine.materialize_registration(
                registration, cutoff, approved, trained, work=work, code=environment(), actor=run_actor(context)
            )
            context.add_asset_metadata(
                {
                    "registered": f"{registered.name}@{registered.version}",
                    "version": int(registered.version),
                    "alias": registration.alias if registered.promoted else "",
                    "manifest": registered.tags[TAG][:SHORT],
                    "model": approved.model_digest[:SHORT],
                    "dataset": approved.dataset_digest[:SHORT],
                    "evaluation": approved.evaluation_digest[:SHORT],
                    "gates": "; ".join(f"{verdict.gate}: {verdict.outcome}" for verdict in approved.verdicts),
                    **{f"waiver/{v.gate}": v.waiver.says for v in approved.verdicts if v.waiver},
                    **lineage_metadata(model.dataset, approved.dataset_digest, work=work),
                },
                partition_key=cutoff,
            )
        keep(context.resources.platform, context.log.warning)
        yield dg.MaterializeResult(data_version=data_version(keys, f"{approved.model_digest}:{approved.policy_digest}"))

    spec = AssetSpec(
        project=project,
        noun=registration,
        description=registration.description,
        kinds={"registry", "mlflow"},
        partitions=partitions_def(model.dataset.cadence),
        deps=[dep(project, card), dep(project, card.evaluation), dep(project, model)],
        metadata=of_registration(registration),
    )
    return asset(spec, body)
