"""Model cards as assets; the gates are their blocking checks, so that a failing model has a card that says why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from platform_ml.engine import card_artifact as engine
from platform_ml.engine import evaluation as evaluations
from platform_ml.engine import model_card as rendering
from platform_ml.engine import training_dataset as datasets
from platform_ml.engine import tuned_model as models
from platform_ml.engine.audit import Check, Finding
from platform_ml.orchestration.asset import AssetSpec, asset, data_version, dep, partition_keys
from platform_ml.orchestration.checks import report
from platform_ml.orchestration.partitions import partitions_def
from platform_ml.spec.fingerprint import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from platform_ml.spec.gate import Verdict
    from platform_ml.spec.project import Project
    from platform_ml.spec.registration import Registration


def model_card_asset(project: Project, registration: Registration) -> dg.AssetsDefinition:
    """Judge the gates, then write down everything that a reader has to know."""
    card = registration.card
    checks = [Check(name=gate.name, blocking=True, description=gate.rule) for gate in registration.gates]
    model = card.evaluation.model

    def body(context: dg.AssetExecutionContext) -> Iterator[object]:
        work = context.resources.platform.work(project.name, context.log.info)
        findings: list[Finding] = []
        for cutoff in (keys := partition_keys(context)):
            result = evaluations.load(card.evaluation, cutoff, work=work)
            verdicts = registration.judge(result)
            dataset, trained = datasets.load(model.dataset, cutoff, work=work), models.load(model, cutoff, work=work)
            published = engine.materialize_model_card(
                registration, cutoff, result=result, verdicts=verdicts, dataset=dataset, model=trained, work=work
            )
            context.add_asset_metadata(
                {
                    "card": dg.MetadataValue.md(rendering.dagster_markdown(published.rendered)),
                    "html": dg.MetadataValue.path(str(published.artifact.folder / "card.html")),
                    "folder": dg.MetadataValue.path(str(published.artifact.folder)),
                    "gates_passed": sum(verdict.passed for verdict in verdicts),
                    "gates_failed": sum(not verdict.passed for verdict in verdicts),
                },
                partition_key=cutoff,
            )
            findings += _findings(checks, verdicts, cutoff)
        yield dg.MaterializeResult(
            data_version=data_version(keys, published.artifact.digest), check_results=list(report(context, findings))
        )

    spec = AssetSpec(
        project=project,
        noun=card,
        description=f"{card.title}. Intended use: {card.intended_use}",
        kinds={"card", "markdown"},
        partitions=partitions_def(model.dataset.view.label.cadence),
        deps=[dep(project, card.evaluation), dep(project, model), dep(project, model.dataset)],
        checks=checks,
        version=fingerprint(registration),
    )
    return asset(spec, body)


def _findings(checks: Sequence[Check], verdicts: Sequence[Verdict], cutoff: str) -> list[Finding]:
    return [
        Finding(
            check=check,
            partition=cutoff,
            passed=verdict.passed,
            reason=f"{verdict.reason} {verdict.advice}".strip(),
            numbers={"verdict": str(verdict.outcome)},
        )
        for check, verdict in zip(checks, verdicts, strict=True)
    ]
