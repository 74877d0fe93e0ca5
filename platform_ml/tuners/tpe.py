"""Tree-structured Parzen estimator: try next what resembles the good trials more than the poor ones."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

from platform_ml.spec.errors import DeclarationError, RowsError
from platform_ml.spec.space import Between, Whole, settings
from platform_ml.spec.tuner import Search, TriedParams

if TYPE_CHECKING:
    from collections.abc import Callable

    import optuna

    from platform_ml.spec.family import Family
    from platform_ml.spec.metric import Goal
    from platform_ml.spec.tuner import Trial

PRUNE_AFTER_TRIALS = 5
"""Finished trials that a median needs."""


@dataclass(frozen=True, kw_only=True)
class TPE:
    """Optuna's TPE sampler (Bergstra et al. 2011), with the median rule against trials that fall behind.

    The same seed gives the same trials. A limit in `seconds` is checked between trials and gives that up: how many
    fit into it depends on the machine.
    """

    trials: int = 30
    startup_trials: int = 10
    """Drawn at random before the first comparison."""
    prune: bool = True
    """Stop a trial whose best report so far is worse than the median of the others at the same step."""
    warmup_steps: int = 50
    """Reports that a trial may make before it can be stopped."""
    seconds: float | None = None

    def __post_init__(self) -> None:
        for name in ("trials", "startup_trials", "seconds"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise DeclarationError(f"TPE: {name}={value!r} is out of bounds. Use a number above 0.")

    def search(self, objective: Callable[[Trial], float], *, name: str, goal: Goal, seed: int) -> Search:
        """Run the trials one after the other; `RowsError` when none of them came to a score."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        direction: Literal["maximize", "minimize"] = "maximize" if goal == "maximize" else "minimize"
        study = optuna.create_study(study_name=name, direction=direction, pruner=self._pruner())
        start, tried = perf_counter(), list[TriedParams]()
        for number in range(self.trials):
            if tried and self.seconds is not None and perf_counter() - start >= self.seconds:
                break
            # A sampler that went on drawing could not be resumed: one that is new for each trial can.
            study.sampler = optuna.samplers.TPESampler(seed=seed + number, n_startup_trials=self.startup_trials)
            drawn = Drawn(number=number, trial=study.ask(), sign=_sign(goal))
            tried.append(_run(study, drawn, objective))
            if not drawn.trial.params:
                break  # nothing to search: every other trial would be this one again
        return _search(name, goal, tried)

    def _pruner(self) -> optuna.pruners.BasePruner:
        import optuna

        if not self.prune:
            return optuna.pruners.NopPruner()
        return optuna.pruners.MedianPruner(n_startup_trials=PRUNE_AFTER_TRIALS, n_warmup_steps=self.warmup_steps)


@dataclass(kw_only=True)
class Drawn:
    """One trial under way."""

    number: int
    trial: optuna.Trial
    sign: int
    """Optuna compares reports in the direction of the study; ours are always the greater the better."""
    values: dict[str, Any] = field(default_factory=dict)
    steps: list[float] = field(default_factory=list)

    def params(self, family: Family) -> dict[str, Any]:
        """The family's fields, each range replaced by a value."""
        self.values = {name: self._draw(name, value) for name, value in settings(family).items()}
        return dict(self.values)

    def report(self, step: int, score: float) -> None:
        """Remember the score; raise `optuna.TrialPruned` when it is no number or too poor."""
        import optuna

        self.steps.append(score)
        if not math.isfinite(score):
            raise optuna.TrialPruned
        self.trial.report(self.sign * score, step)
        if self.trial.should_prune():
            raise optuna.TrialPruned

    def _draw(self, name: str, value: Any) -> Any:
        if isinstance(value, Whole):
            return self.trial.suggest_int(name, **asdict(value))
        if isinstance(value, Between):
            return self.trial.suggest_float(name, **asdict(value))
        return value


def _run(study: optuna.Study, drawn: Drawn, objective: Callable[[Trial], float]) -> TriedParams:
    import optuna

    start, score = perf_counter(), None
    try:
        reached = objective(drawn)
    except optuna.TrialPruned:
        study.tell(drawn.trial, state=optuna.trial.TrialState.PRUNED)
    else:
        score = float(reached) if math.isfinite(reached) else None
        if score is None:
            study.tell(drawn.trial, state=optuna.trial.TrialState.FAIL)
        else:
            study.tell(drawn.trial, score)
    return TriedParams(
        number=drawn.number,
        params=drawn.values,
        score=score,
        steps=tuple(step for step in drawn.steps if math.isfinite(step)),
        seconds=perf_counter() - start,
    )


def _search(name: str, goal: str, tried: list[TriedParams]) -> Search:
    scores = {trial.number: _sign(goal) * trial.score for trial in tried if trial.score is not None}
    if not scores:
        raise RowsError(
            f"The search {name!r} ended without a score: its metric was not defined in any of {len(tried)} trials. "
            "Look at the validation split: it needs rows of different outcomes."
        )
    best = max(scores, key=lambda number: (scores[number], -number))
    return Search(trials=tuple(tried), best=tried[best])


def _sign(goal: str) -> int:
    return 1 if goal == "maximize" else -1
