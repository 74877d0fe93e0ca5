"""What is tried next: drawn by a sampler from what was tried before, the same however often it is asked."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

from platform_ml.engine.attempt import Attempt, params_of
from platform_ml.spec.space import Whole, ranges
from platform_ml.spec.tuner import DRAWN, FINISHED, STOPPED, WARM, Size

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import optuna

    from platform_ml.spec.family import Family
    from platform_ml.spec.metric import Goal
    from platform_ml.spec.tuner import TriedParams, Tuner


@dataclass(kw_only=True)
class Proposals:
    """An Optuna study in memory that is asked for some trials and told all of them before it is asked again."""

    tuner: Tuner
    family: Family
    goal: Goal
    seed: int
    study: optuna.Study
    warm: Mapping[str, Any] | None
    """The first trial's values, where they are not drawn."""
    asked: list[optuna.Trial] = field(default_factory=list)

    @classmethod
    def of(
        cls, tuner: Tuner, family: Family, *, name: str, goal: Goal, seed: int, warm: Mapping[str, Any] | None
    ) -> Self:
        """Nothing was tried yet."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(study_name=name, directions=directions(tuner, goal))
        return cls(tuner=tuner, family=family, goal=goal, seed=seed, study=study, warm=warm)

    def ask(self, count: int) -> list[Attempt]:
        """The next trials; none of them knows of the others' scores."""
        return [self._next() for _ in range(count)]

    def tell(self, trials: Sequence[TriedParams]) -> None:
        """What became of the trials that were asked for, in the order of their numbers."""
        import optuna

        several = len(self.study.directions) > 1
        for trial, asked in zip(trials, self.asked[-len(trials) :], strict=True):
            if trial.state == STOPPED and not several:
                for step, score in enumerate(trial.steps):
                    asked.report(score if self.goal == "maximize" else -score, step)
                self.study.tell(asked, state=optuna.trial.TrialState.PRUNED)
            elif trial.state == FINISHED:
                self.study.tell(asked, [value for value in self._values(trial) if value is not None])
            else:
                self.study.tell(asked, state=optuna.trial.TrialState.FAIL)

    def _next(self) -> Attempt:
        number = len(self.asked)
        warm = self.warm if number == 0 else None
        if warm is not None:
            self.study.enqueue_trial(dict(warm))
        # A sampler that went on drawing could not be resumed: one that is new for each trial can.
        self.study.sampler = self.tuner.sampler(self.seed + number)
        asked = self.study.ask(distributions(self.family))
        self.asked.append(asked)
        return Attempt(
            number=number,
            values=asked.params,
            params=params_of(self.family, asked.params),
            origin=DRAWN if warm is None else WARM,
        )

    def _values(self, trial: TriedParams) -> tuple[float | None, ...]:
        return (trial.score, trial.size_bytes) if len(self.study.directions) > 1 else (trial.score,)


def directions(tuner: Tuner, goal: Goal) -> list[Goal]:
    """Of quality, and of size where it counts; latency depends on the machine and steers nothing."""
    sized = any(isinstance(objective, Size) for objective in tuner.objectives)
    return [goal, "minimize"] if sized else [goal]


def distributions(family: Family) -> dict[str, optuna.distributions.BaseDistribution]:
    """The ranges of a family as Optuna calls them."""
    from optuna.distributions import FloatDistribution, IntDistribution

    return {
        name: (IntDistribution if isinstance(value, Whole) else FloatDistribution)(**asdict(value))
        for name, value in ranges(family).items()
    }
