"""The model that is in use, as a rival on the same test rows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from platform_ml.engine.tuned_model import KIND, fitted
from platform_ml.spec.evaluation import CHAMPION, EvaluationResult
from platform_ml.spec.fingerprint import fingerprint

if TYPE_CHECKING:
    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifact
    from platform_ml.spec.evaluation import Evaluation
    from platform_ml.spec.family import Predictor

EVALUATIONS, FILE = "evaluations", "evaluation.json"


def champion_digest(evaluation: Evaluation, model: Artifact, cutoff: str, *, work: Work) -> str | None:
    """Digest of the model in use when this one was first evaluated; empty when there was none, None when nobody asks.

    Evaluating again after it was promoted must not compare it with itself: the first comparison stays.
    """
    if not evaluation.champion:
        return None
    newest = work.platform.artifacts.newest(work.place(EVALUATIONS, evaluation, cutoff))
    if newest is not None:
        known = EvaluationResult.from_json(json.loads((newest.folder / FILE).read_text(encoding="utf-8")))
        same = known.model_digest == model.digest and known.policy_digest == fingerprint(evaluation)
        if same and known.evidence is not None and known.evidence.champion is not None:
            return known.evidence.champion
    promoted = work.platform.registry.promoted(evaluation.champion, CHAMPION)
    return str(promoted["model_digest"]) if promoted else ""


def champion_of(evaluation: Evaluation, digest: str, model: Artifact, *, work: Work) -> Predictor | None:
    """The model of this digest, to predict test rows with; None for this model itself, and where it is not to be had.

    Of one that another declaration made nobody knows here which features it takes.
    """
    if not digest or digest == model.digest:
        return None
    found = work.published(KIND, evaluation.model, digest)
    if found is None or found.damage() or found.record["fingerprint"] != fingerprint(evaluation.model):
        work.say(f"{work.table(evaluation)}: the champion {digest[:12]} cannot be loaded by this declaration")
        return None
    return fitted(evaluation.model, found)[0]
