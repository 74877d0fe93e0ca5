"""Published models that are not registered, and what stands in the way."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.engine import evaluation, tuned_model
from platform_ml.spec.errors import Refused
from platform_ml.spec.evaluation import EvaluationResult
from platform_ml.spec.registration import Approved, Registration

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from platform_ml.engine.ports import Artifact, Artifacts
    from platform_ml.spec.project import Project

NOT_EVALUATED, OTHER_POLICY = "candidate: not evaluated", "candidate: evaluated by another declaration"
PASSED = "candidate: passed, not registered"


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A published model that no version of the registry is made of."""

    model: str
    project: str
    artifact: Artifact
    status: str
    """How far it came; which gates refused it."""
    metric: str = ""
    score: str = ""
    """On the test rows, with its interval."""


def candidates(project: Project, artifacts: Artifacts, registered: Collection[str]) -> Iterator[Candidate]:
    """The published models of a project whose digest is not among the registered ones, newest first."""
    for registration in project.all(Registration):
        judged = registration.card.evaluation
        model = judged.model
        results = artifacts.versions(f"{evaluation.KIND}/{project.name}/{judged.name}")
        for artifact in reversed(artifacts.versions(f"{tuned_model.KIND}/{project.name}/{model.name}")):
            if artifact.digest not in registered:
                found = _result(artifact, results)
                if found is None:
                    yield Candidate(model=model.name, project=project.name, artifact=artifact, status=NOT_EVALUATED)
                    continue
                metric = next(iter(found.titles))
                yield Candidate(
                    model=model.name,
                    project=project.name,
                    artifact=artifact,
                    status=_status(registration, found),
                    metric=metric,
                    score=str(found.test(metric)),
                )


def _result(model: Artifact, results: list[Artifact]) -> EvaluationResult | None:
    """The newest numbers of a model."""
    for artifact in reversed(results):
        plain = json.loads((artifact.folder / evaluation.FILE).read_text(encoding="utf-8"))
        if plain["model_digest"] == model.digest:
            return EvaluationResult.from_json(plain)
    return None


def _status(registration: Registration, result: EvaluationResult) -> str:
    try:
        Approved.by(registration, result)
    except Refused:
        stopped = [verdict.gate for verdict in registration.judge(result) if not verdict.passed]
        return f"candidate: refused by {', '.join(stopped)}" if stopped else OTHER_POLICY
    return PASSED
