"""What there is of a model at one cutoff: whether today's declarations would make the same, and else why not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from platform_ml.engine import dataset_checks, feature_selection
from platform_ml.engine import evaluation as evaluations
from platform_ml.engine import tuned_model as models
from platform_ml.engine.staleness import is_due
from platform_ml.engine.training_dataset import is_current
from platform_ml.spec.evaluation import EvaluationResult
from platform_ml.spec.fingerprint import fingerprint

if TYPE_CHECKING:
    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifact
    from platform_ml.spec.evaluation import Evaluation
    from platform_ml.spec.feature_selection import FeatureSelection
    from platform_ml.spec.training_dataset import TrainingDataset
    from platform_ml.spec.tuned_model import TunedModel

    Step = TrainingDataset | FeatureSelection | TunedModel | Evaluation

SHORT = 8
"""Characters of a fingerprint that are shown."""


class State(StrEnum):
    """What the numbers of a cutoff are worth."""

    CURRENT = "current"
    STALE = "stale"
    """Of the same declarations, but rows or models changed since."""
    OTHER = "other declaration"
    """Stale as well: some declaration behind them is not today's, so they answer another question."""
    MISSING = "missing"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What there is at one cutoff."""

    state: State
    why: str
    """In a sentence; empty where it is current."""
    result: EvaluationResult | None
    todo: tuple[Step, ...]
    """What has to be made (again) for it, upstream first; empty where it is current, or where it cannot be made yet."""


def is_known(dataset: TrainingDataset, cutoff: str) -> bool:
    """Whether all outcomes of its rows can be known by now."""
    keys = dataset.view_keys(dataset.cadence.day(cutoff))
    return bool(keys) and is_due(dataset.view, keys[-1])


def standing(evaluation: Evaluation, cutoff: str, *, work: Work) -> Standing:
    """Compare what was published for a cutoff with what would be made now."""
    made, todo = _newest(evaluations.KIND, evaluation, cutoff, work), _todo(evaluation, cutoff, work)
    hurdle = _hurdle(evaluation.model.dataset, cutoff, work)
    if made is None:
        why = hurdle or f"not made yet: {', '.join(step.name for step in todo)}"
        return Standing(state=State.MISSING, why=f"{why}.", result=None, todo=() if hurdle else todo)
    result = _result(made)
    state, why = _judged(evaluation, made, result, todo, work)
    return Standing(state=state, why=why, result=result, todo=() if hurdle else todo)


def _judged(
    evaluation: Evaluation, made: Artifact, result: EvaluationResult, todo: tuple[Step, ...], work: Work
) -> tuple[State, str]:
    """What the published numbers are worth, whatever was published since of what they are made of."""
    model = evaluation.model
    used = {
        evaluation.name: (made, evaluation),
        model.name: (_version(models.KIND, model, result, result.model_digest, work), model),
        model.dataset.name: (
            _version(dataset_checks.KIND, model.dataset, result, result.dataset_digest, work),
            model.dataset,
        ),
    }
    for name, (artifact, declared) in used.items():
        if artifact is None:
            return State.STALE, f"the {name} that it was made from is gone."
        before, now = artifact.record["fingerprint"], fingerprint(declared)
        if before != now:
            return State.OTHER, f"{name} was made by another declaration ({before[:SHORT]}, now {now[:SHORT]})."
    if not todo:
        return State.CURRENT, ""
    return State.STALE, f"{todo[0].name} would not be the same today: what it is made of has changed."


def _todo(evaluation: Evaluation, cutoff: str, work: Work) -> tuple[Step, ...]:
    """The steps from the first one on that is not as it would be made now."""
    model = evaluation.model
    dataset = _newest(dataset_checks.KIND, model.dataset, cutoff, work)
    trained = _newest(models.KIND, model, cutoff, work)
    measured = _newest(evaluations.KIND, evaluation, cutoff, work)
    steps: list[tuple[Step, bool]] = [(model.dataset, is_current(model.dataset, cutoff, work=work))]
    if model.features:
        chosen = _newest(feature_selection.KIND, model.features, cutoff, work)
        steps.append((model.features, _follows(model.features, chosen, dataset)))
    steps.append((model, _follows(model, trained, dataset)))
    steps.append((evaluation, _measures(evaluation, measured, trained)))
    first = next((place for place, (_, current) in enumerate(steps) if not current), len(steps))
    return tuple(step for step, _ in steps[first:])


def _follows(noun: FeatureSelection | TunedModel, made: Artifact | None, dataset: Artifact | None) -> bool:
    """Whether it was made by its declaration from this dataset."""
    if made is None or dataset is None:
        return False
    return bool(made.record["fingerprint"] == fingerprint(noun) and made.record["dataset"] == dataset.digest)


def _measures(evaluation: Evaluation, made: Artifact | None, trained: Artifact | None) -> bool:
    """Whether it was made by its declaration from this model."""
    if made is None or trained is None:
        return False
    return made.record["fingerprint"] == fingerprint(evaluation) and _result(made).model_digest == trained.digest


def _hurdle(dataset: TrainingDataset, cutoff: str, work: Work) -> str:
    """Why no dataset can be cut at it now; empty where one can."""
    if not dataset.is_trainable(dataset.cadence.day(cutoff)):
        return "there is nothing to train on so early"
    if not is_known(dataset, cutoff):
        return "the outcomes of its last rows are not known yet"
    keys = dataset.view_keys(dataset.cadence.day(cutoff))
    snapshot = work.platform.tables.snapshot(work.table(dataset.view))
    there = snapshot.partitions if snapshot else {}
    missing = [key for key in keys if key not in there]
    if not missing:
        return ""
    return f"{len(missing):,} of {len(keys):,} partitions of {dataset.view.name} are missing, the first is {missing[0]}"


def _newest(kind: str, noun: Step, cutoff: str, work: Work) -> Artifact | None:
    return work.platform.artifacts.newest(work.place(kind, noun, cutoff))


def _version(kind: str, noun: Step, result: EvaluationResult, digest: str, work: Work) -> Artifact | None:
    """The published version of this digest."""
    found = work.platform.artifacts.versions(work.place(kind, noun, result.cutoff))
    return next((one for one in found if one.digest == digest), None)


def _result(made: Artifact) -> EvaluationResult:
    return EvaluationResult.from_json(json.loads((made.folder / evaluations.FILE).read_text(encoding="utf-8")))
