"""What there is of a model for one cutoff: registered, held back by its gates, or to be trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.engine import card_artifact as cards
from platform_ml.engine import evaluation as evaluations
from platform_ml.engine import tuned_model as models
from platform_ml.engine.training_dataset import is_current
from platform_ml.spec.errors import MissingInputError, PlatformError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.leader_board import LeaderBoard

if TYPE_CHECKING:
    from platform_ml.engine.platform import Work
    from platform_ml.spec.project import Noun
    from platform_ml.spec.registration import Registration


def model_path(registration: Registration) -> list[Noun]:
    """From the dataset to the registration: what is made for one cutoff, upstream first."""
    evaluation = registration.card.evaluation
    model = evaluation.model
    chosen = [model.features] if model.features else []
    board = [LeaderBoard(model=model)] if model.rivals else []
    return [model.dataset, *chosen, model, *board, evaluation, registration.card, registration]


def is_registered(registration: Registration, cutoff: str, work: Work) -> bool:
    """Whether the registry has a version made by this declaration from the dataset that would be made now."""
    model = registration.card.evaluation.model
    try:
        dataset, trained = model.dataset, models.load(model, cutoff, work=work)
        cards.load(registration.card, cutoff, work=work)
    except (MissingInputError, PlatformError):
        return False
    tags = {"fingerprint": fingerprint(registration), "model_digest": trained.digest, "cutoff": cutoff}
    return is_current(dataset, cutoff, work=work) and work.platform.registry.find(registration.name, tags) is not None


def held_back(registration: Registration, cutoff: str, work: Work) -> list[str]:
    """The gates that stop the model that would be made now; none where there is no such model or card yet."""
    evaluation = registration.card.evaluation
    try:
        cards.load(registration.card, cutoff, work=work)
        result = evaluations.load(evaluation, cutoff, work=work)
    except (MissingInputError, PlatformError):
        return []
    as_declared = result.policy_digest == fingerprint(evaluation)
    current = as_declared and is_current(evaluation.model.dataset, cutoff, work=work)
    return [verdict.gate for verdict in registration.judge(result) if verdict.stops] if current else []
