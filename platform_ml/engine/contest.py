"""Families side by side: each searched on the same rows, measured, and one of them chosen."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any

from platform_ml.engine.bootstrap import Measured, Subject, measure, resampled
from platform_ml.engine.cross_validation import corrected_interval, cross_validate
from platform_ml.engine.latency import latency_ms
from platform_ml.engine.search import search
from platform_ml.spec.complexity import complexity_of
from platform_ml.spec.errors import PlatformError, RowsError
from platform_ml.spec.evaluation import CONFIDENCE, Estimate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa

    from platform_ml.engine.cross_validation import CrossValidated, Fold
    from platform_ml.engine.fitting import Fitting
    from platform_ml.engine.tuning import Tuning
    from platform_ml.spec.choice import Choice
    from platform_ml.spec.complexity import Complexity
    from platform_ml.spec.family import Predictor
    from platform_ml.spec.tuned_model import TunedModel
    from platform_ml.spec.tuner import Search

TESTS = {
    "rows": "A paired bootstrap that draws the entities of the validation rows again.",
    "folds": "The corrected resampled t-test over folds (Nadeau and Bengio 2003).",
}
"""How two families are compared, as sentences."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What the search of one family came to."""

    predictor: Predictor
    search: Search
    seconds: float
    """Search and second fit, wall time."""
    latency_ms: Mapping[str, float] = field(default_factory=dict)
    """p50, p95, p99 of one row."""
    size_bytes: int = 0
    score: Measured | None = None
    """On the validation rows."""
    folds: CrossValidated | None = None

    @property
    def value(self) -> float:
        """The metric of the best trial."""
        return self.search.score


@dataclass(frozen=True, kw_only=True)
class Entrant:
    """One family of a contest."""

    name: str
    complexity: Complexity
    found: Found | None
    """None: it was not searched, or its search found nothing."""
    out: str = ""
    """Why it cannot be chosen; empty when it can."""


@dataclass(frozen=True, kw_only=True)
class Contest:
    """All families, in the order of declaration, and the one that became the model."""

    model: TunedModel
    entrants: tuple[Entrant, ...]
    chosen: str
    why: str

    @property
    def winner(self) -> Found:
        """What became the model."""
        return _found(next(one for one in self.entrants if one.name == self.chosen))

    def lead(self, one: Entrant, other: Entrant) -> Estimate:
        """By how much the first is better than the second, on the same rows or folds; above 0 is better."""
        return _lead(self.model, one, other, _confidence(self.entrants))


def compete(
    fitting: Fitting,
    rows: pa.Table,
    folds: Sequence[Fold],
    *,
    progress: Callable[[str], None],
    tuning: Tuning | None = None,
) -> Contest:
    """Search every family, then choose: limits exclude, and the simplest wins of those that none is found better than.

    Args:
        fitting: the rows that families are fitted on.
        rows: features as they are in the dataset; of them single rows are predicted to see how long that takes.
        folds: those of the model, where the choice asks for them.
        progress: is told what comes of each trial.
        tuning: where trials are kept and run; None: here.

    Raises:
        PlatformError: No family is within the limits, or none could be fitted.
    """
    model = fitting.model
    if model.choice.test == "folds" and not folds:
        raise PlatformError(f"Model {model.name!r} chooses by folds, and none were given. Give those of `read_folds`.")
    entered = [_enter(fitting, name, rows, folds, progress, tuning) for name in model.competitors]
    entrants = _scored(fitting, entered)
    chosen, why = choose(model, entrants)
    progress(f"{model.name}: {chosen} is chosen. {why}")
    return Contest(model=model, entrants=entrants, chosen=chosen, why=why)


def _enter(
    fitting: Fitting,
    name: str,
    rows: pa.Table,
    folds: Sequence[Fold],
    progress: Callable[[str], None],
    tuning: Tuning | None,
) -> Entrant:
    alone, choice = fitting.model.alone(name), fitting.model.choice
    kind = complexity_of(alone.family)
    if choice.complexity is not None and kind > choice.complexity:
        out = f"It is {kind.title}, and {choice.complexity.title} are the least simple that may be chosen."
        return Entrant(name=name, complexity=kind, found=None, out=out)
    start = perf_counter()
    try:
        predictor, found = search(replace(fitting, model=alone), alone.family, progress=progress, tuning=tuning)
    except RowsError as error:
        return Entrant(name=name, complexity=kind, found=None, out=str(error))
    seconds = perf_counter() - start
    deployed = fitting.deployed(predictor)
    measured = Found(
        predictor=predictor,
        search=found,
        seconds=seconds,
        latency_ms=latency_ms(deployed, rows),
        size_bytes=_size(deployed),
        folds=cross_validate(alone, found.best, folds, progress=progress) if choice.test == "folds" else None,
    )
    return Entrant(name=name, complexity=kind, found=measured, out=over(choice, measured))


def over(choice: Choice, found: Found) -> str:
    """Which limits a family breaks, as sentences; empty for none."""
    said = []
    p99 = found.latency_ms["p99"]
    if choice.latency_ms is not None and not p99 <= choice.latency_ms:
        said.append(f"One row takes {p99:.3g} ms at p99, and {choice.latency_ms:g} ms are allowed.")
    if choice.size_bytes is not None and found.size_bytes > choice.size_bytes:
        said.append(f"It has {found.size_bytes:,} bytes, and {choice.size_bytes:,} are allowed.")
    return " ".join(said)


def _size(predictor: Predictor) -> int:
    with TemporaryDirectory() as aside:
        predictor.save(Path(aside))
        return sum(file.stat().st_size for file in Path(aside).rglob("*") if file.is_file())


def _scored(fitting: Fitting, entrants: Sequence[Entrant]) -> tuple[Entrant, ...]:
    """Every family on the same resamples of the validation rows, so that differences are paired."""
    model, judge = fitting.model, fitting.judge
    subjects = {
        one.name: Subject.of(judge, one.found.predictor.predict(judge.features))
        for one in entrants
        if one.found is not None
    }
    seed = f"{model.name}/{model.seed}/choice"
    blocks = resampled(judge, resamples=model.choice.resamples, seed=seed) if subjects else ()
    scores = measure([model.metric], subjects, blocks)
    return tuple(
        one if one.found is None else replace(one, found=replace(one.found, score=scores[one.name][model.metric.name]))
        for one in entrants
    )


def choose(model: TunedModel, entrants: Sequence[Entrant]) -> tuple[str, str]:
    """The name of the winner, and why it is that.

    The family with the best score leads. What it is not found better than ties with it, and of these the simplest
    wins. How fast a family is plays no part beyond the limit, because two measurements of it are never the same.
    """
    able = [one for one in entrants if one.found is not None and not one.out]
    if not able:
        said = " ".join(f"{one.name}: {one.out}" for one in entrants)
        raise PlatformError(
            f"Model {model.name!r}: no family can be chosen. {said} Raise a limit of its choice, or declare a rival "
            "that is within. Nothing was published or registered."
        )
    sign = 1 if model.metric.goal == "maximize" else -1
    # `max` and `min` take the first of equals, which is the one that was declared first.
    leader = max(able, key=lambda one: sign * _value(model, one))
    confidence = _confidence(entrants)
    tied = [one for one in able if one is leader or not found_better(_lead(model, leader, one, confidence))]
    winner = min(tied, key=lambda one: (one.complexity, -sign * _value(model, one)))
    score = f"{model.metric.title} {_value(model, winner):.4f}"
    if len(able) == 1:
        why = "No other family can be chosen." if len(entrants) > 1 else "It is the only one."
    elif winner is leader and len(tied) == 1:
        why = f"It is found better than every other one: {score}."
    elif winner is leader:
        why = f"It has the best score, {score}, and none of those that tie with it is simpler."
    else:
        lead = _lead(model, leader, winner, confidence)
        why = (
            f"It is the simplest of {len(tied)} that tie: {score}. {leader.name} leads it by {lead}: not found better."
        )
    return winner.name, why


def found_better(lead: Estimate) -> bool:
    """Whether a lead is more than luck; without an interval nobody can say, so it is not."""
    return lead.low is not None and lead.low > 0


def verdict(lead: Estimate) -> str:
    """What a lead of the winner says of the other one."""
    if found_better(lead):
        return "worse"
    return "better" if lead.high is not None and lead.high < 0 else "tie"


def _value(model: TunedModel, one: Entrant) -> float:
    """What families are ordered by: the score on the validation rows, or the mean over the folds."""
    found = _found(one)
    if model.choice.test == "folds" and found.folds is not None and found.folds.mean is not None:
        return found.folds.mean
    return found.value


def _confidence(entrants: Sequence[Entrant]) -> float:
    """Of each interval, so that all comparisons of the leader together are right with 95 % (Bonferroni)."""
    others = sum(one.found is not None for one in entrants) - 1
    return 1 - (1 - CONFIDENCE) / max(1, others)


def _lead(model: TunedModel, one: Entrant, other: Entrant, confidence: float) -> Estimate:
    first, second = _found(one), _found(other)
    if model.choice.test == "folds":
        return _on_folds(model.metric.goal, first.folds, second.folds, confidence)
    if first.score is None or second.score is None:
        raise PlatformError("Families were compared before they were scored.")
    return first.score.better(second.score, model.metric.goal).estimate(confidence)


def _on_folds(goal: str, one: CrossValidated | None, other: CrossValidated | None, confidence: float) -> Estimate:
    import numpy as np

    if one is None or other is None:
        return Estimate(value=None)
    sign = 1 if goal == "maximize" else -1
    both = [
        (sign * (a.score - b.score), a.validation_rows / a.train_rows)
        for a, b in zip(one.folds, other.folds, strict=True)
        if a.score is not None and b.score is not None
    ]
    if not both:
        return Estimate(value=None)
    leads, ratios = np.asarray(both).T
    found = corrected_interval(leads, ratio=float(ratios.mean()), confidence=confidence)
    if found is None:
        return Estimate(value=float(leads.mean()))
    return Estimate(value=found[0], low=found[1], high=found[2])


def _found(one: Entrant) -> Found:
    if one.found is None:
        raise PlatformError(f"{one.name} was not searched: {one.out}")
    return one.found


def standings(contest: Contest) -> dict[str, Any]:
    """The leader board as plain JSON, the winner first and then by score."""
    model, choice = contest.model, contest.model.choice
    sign = -1 if model.metric.goal == "maximize" else 1
    winner = next(one for one in contest.entrants if one.name == contest.chosen)
    ordered = sorted(
        contest.entrants,
        key=lambda one: (one is not winner, one.found is None, sign * _value(model, one) if one.found else 0.0),
    )
    return {
        "metric": model.metric.name,
        "title": model.metric.title,
        "goal": model.metric.goal,
        "rule": choice.says,
        "test": TESTS[choice.test],
        "confidence": _confidence(contest.entrants),
        "chosen": contest.chosen,
        "why": contest.why,
        "families": [_standing(contest, winner, one) for one in ordered],
    }


def _standing(contest: Contest, winner: Entrant, one: Entrant) -> dict[str, Any]:
    model, found = contest.model, one.found
    said = {
        "name": one.name,
        "family": type(model.competitors[one.name].family).__name__,
        "complexity": int(one.complexity),
        "kind": one.complexity.title,
        "out": one.out,
        "verdict": "not compared",
    }
    if found is None:
        return said
    lead = Estimate(value=None) if one is winner else contest.lead(winner, one)
    return said | {
        "verdict": "chosen" if one is winner else verdict(lead),
        "score": asdict(found.score.estimate() if found.score else Estimate(value=found.value)),
        "lead": asdict(lead),
        "params": dict(found.search.best.params),
        "trials": len(found.search.trials),
        "pruned": sum(trial.score is None for trial in found.search.trials),
        "seconds": found.seconds,
        "latency_ms": dict(found.latency_ms),
        "size_bytes": found.size_bytes,
        "folds": None if found.folds is None else found.folds.to_plain(),
    }
