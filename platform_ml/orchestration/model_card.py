"""Model cards as assets; the gates are their blocking checks, so that a failing model has a card that says why."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import dagster as dg

from platform_ml.engine import card_artifact as engine
from platform_ml.engine import evaluation as evaluations
from platform_ml.engine import model_card as rendering
from platform_ml.engine import training_dataset as datasets
from platform_ml.engine import tuned_model as models
from platform_ml.engine.audit import Check, Finding
from platform_ml.orchestration.asset import AssetSpec, asset, data_version, dep, partition_keys
from platform_ml.orchestration.card_index import keep
from platform_ml.orchestration.checks import report
from platform_ml.orchestration.declared import of_registration
from platform_ml.orchestration.lineage import SHORT
from platform_ml.orchestration.partitions import partitions_def
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.gate import Outcome, is_advisory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from platform_ml.spec.gate import Verdict
    from platform_ml.spec.project import Project
    from platform_ml.spec.registration import Registration


def model_card_asset(project: Project, registration: Registration) -> dg.AssetsDefinition:
    """Judge the gates, then write down everything that a reader has to know."""
    card = registration.card
    checks = [
        Check(name=gate.name, blocking=not is_advisory(gate), description=gate.rule) for gate in registration.gates
    ]
    model = card.evaluation.model

    def body(context: dg.AssetExecutionContext) -> Iterator[object]:
        work = context.resources.platform.work(project.name, context.log.info)
        findings: list[Finding] = []
        for cutoff in (keys := partition_keys(context)):
            result = evaluations.load(card.evaluation, cutoff, work=work)
            verdicts = registration.judge(result)
            dataset, trained = datasets.load(model.dataset, cutoff, work=work), models.load(model, cutoff, work=work)
            before = engine.previous_version(registration, cutoff, trained, work=work)
            setting = engine.Setting(owner=project.owner, previous=before)
            published = engine.materialize_model_card(
                registration, cutoff, result=result, verdicts=verdicts, dataset=dataset, model=trained, work=work,
                setting=setting,
            )  # fmt: skip
            context.add_asset_metadata(
                {
                    "card": dg.MetadataValue.md(rendering.dagster_markdown(published.rendered)),
                    "html": dg.MetadataValue.path(str(published.artifact.folder / "card.html")),
                    "folder": dg.MetadataValue.path(str(published.artifact.folder)),
                    "gates_passed": sum(verdict.passed for verdict in verdicts),
                    "gates_failed": sum(not verdict.passed for verdict in verdicts),
                    "gates_waived": sum(verdict.waiver is not None for verdict in verdicts),
                },
                partition_key=cutoff,
            )
            findings += _findings(checks, verdicts, cutoff)
        index = keep(context.resources.platform, context.log.warning)
        for cutoff in keys:  # after the card itself, on the page as well
            context.add_asset_metadata({"index": dg.MetadataValue.path(index)}, partition_key=cutoff)
        yield dg.MaterializeResult(
            data_version=data_version(keys, published.artifact.digest),
            check_results=list(report(context, findings)),
        )

    spec = AssetSpec(
        project=project,
        noun=card,
        description=f"{card.title}. Intended use: {card.intended_use}",
        kinds={"card", "markdown"},
        partitions=partitions_def(model.dataset.cadence),
        deps=[dep(project, card.evaluation), dep(project, model), dep(project, model.dataset)],
        checks=checks,
        version=fingerprint(registration),
        metadata=of_registration(registration),
    )
    return asset(spec, body)


def _findings(checks: Sequence[Check], verdicts: Sequence[Verdict], cutoff: str) -> list[Finding]:
    return [
        Finding(
            # A check is declared blocking once and for all; a waiver only takes its failure's weight away.
            check=replace(check, blocking=verdict.stops) if not verdict.passed else check,
            partition=cutoff,
            passed=verdict.passed,
            reason=" ".join(filter(None, (_waiver(verdict), verdict.reason, verdict.advice))),
            numbers=_numbers(verdict),
        )
        for check, verdict in zip(checks, verdicts, strict=True)
    ]


def _waiver(verdict: Verdict) -> str:
    if verdict.waiver is None:
        return ""
    says = verdict.waiver.says.rstrip(".")
    return f"{says[0].upper()}{says[1:]}."


def _numbers(verdict: Verdict) -> dict[str, float | str]:
    """Value, limit, interval and support as numbers, and what the verdict is bound to."""
    bound = verdict.bound_to
    waiver = {"waived_by": verdict.waiver.author, "waiver_reason": verdict.waiver.reason} if verdict.waiver else {}
    expiry = {"waiver_expires": verdict.waiver.expires.isoformat()} if verdict.waiver else {}
    parts = {
        f"parts_{name}": sum(part.outcome is outcome for part in verdict.parts) for name, outcome in _PARTS.items()
    }
    return {
        "verdict": str(verdict.outcome),
        **verdict.numbers,
        **(parts if verdict.parts else {}),
        **({"advisory": "yes"} if verdict.advisory else {}),
        **waiver,
        **expiry,
        **({name: getattr(bound, name)[:SHORT] for name in _BOUND} if bound else {}),
    }


_BOUND = ("model", "dataset", "evaluation", "policy")
_PARTS = {"passed": Outcome.PASSED, "failed": Outcome.FAILED, "undecided": Outcome.NOT_ENOUGH_EVIDENCE}
