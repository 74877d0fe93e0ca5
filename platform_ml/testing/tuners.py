"""The laws of tuners: a member's test class inherits them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from platform_ml.spec.errors import RowsError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.space import Between, Whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from platform_ml.spec.family import Family
    from platform_ml.spec.metric import Goal
    from platform_ml.spec.tuner import Search, Trial, Tuner


@dataclass(frozen=True, kw_only=True)
class Space:
    """Fields of a family, without the family."""

    name: ClassVar[str] = "space"

    x: float | Between = Between(-2.0, 2.0)
    y: float | Between = Between(0.01, 10.0, log=True)
    n: int | Whole = Whole(1, 8)
    fixed: int = 3


@dataclass
class Objective:
    """Best at x = 1, y = 1, n = 5; reports `steps` scores on the way to the last one."""

    space: Any = field(default_factory=Space)
    steps: int = 40
    goal: Goal = "maximize"
    drawn: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, trial: Trial) -> float:
        """The score of a trial."""
        family: Family = self.space
        params = trial.params(family)
        self.drawn.append(params)
        score = -((params["x"] - 1) ** 2) - math.log(params["y"]) ** 2 / 10 - (params["n"] - 5) ** 2 / 50
        for step in range(self.steps):
            trial.report(step, score - 1 / (step + 1))
        return score if self.goal == "maximize" else -score


class TunerContract:
    """What every tuner promises."""

    @pytest.fixture
    def tuner(self) -> Tuner:
        """The member under test, with at least 12 trials."""
        raise NotImplementedError

    def search(
        self, tuner: Tuner, objective: Callable[[Trial], float], goal: Goal = "maximize", seed: int = 3
    ) -> Search:
        """One search."""
        return tuner.search(objective, name="contract", goal=goal, seed=seed)

    def test_says_what_it_is(self, tuner: Tuner) -> None:
        assert fingerprint(tuner) == fingerprint(tuner)
        assert tuner.trials >= 12

    def test_every_trial_is_told(self, tuner: Tuner) -> None:
        objective = Objective()
        search = self.search(tuner, objective)
        assert [trial.number for trial in search.trials] == list(range(tuner.trials))
        assert [trial.params for trial in search.trials] == objective.drawn
        assert all(trial.seconds >= 0 and trial.steps for trial in search.trials)

    def test_ranges_are_drawn_from_and_values_kept(self, tuner: Tuner) -> None:
        for trial in self.search(tuner, Objective()).trials:
            assert -2 <= trial.params["x"] <= 2
            assert 0.01 <= trial.params["y"] <= 10
            assert trial.params["n"] in range(1, 9)
            assert isinstance(trial.params["n"], int)
            assert trial.params["fixed"] == 3

    @pytest.mark.parametrize("goal", ["maximize", "minimize"])
    def test_the_best_is_the_best(self, tuner: Tuner, goal: Goal) -> None:
        search = self.search(tuner, Objective(goal=goal), goal)
        scores = [trial.score for trial in search.trials if trial.score is not None]
        assert search.best in search.trials
        assert search.best.score == (max if goal == "maximize" else min)(scores)

    @pytest.mark.parametrize("goal", ["maximize", "minimize"])
    def test_same_seed_same_trials(self, tuner: Tuner, goal: Goal) -> None:
        first, second = (
            [plain(trial) for trial in self.search(tuner, Objective(goal=goal), goal).trials] for _ in "12"
        )
        assert first == second

    def test_another_seed_other_trials(self, tuner: Tuner) -> None:
        first, second = (self.search(tuner, Objective(), seed=seed).best.params for seed in (1, 100))
        assert first != second

    @pytest.mark.parametrize("goal", ["maximize", "minimize"])
    def test_it_does_not_matter_which_way_is_better(self, tuner: Tuner, goal: Goal) -> None:
        objective = Objective(goal=goal)
        self.search(tuner, objective, goal)
        other = Objective()
        self.search(tuner, other)
        assert objective.drawn == other.drawn

    def test_nothing_to_search_is_one_trial(self, tuner: Tuner) -> None:
        search = self.search(tuner, Objective(space=replace(Space(), x=0.5, y=1.0, n=2)))
        assert len(search.trials) == 1
        assert search.best.params == {"x": 0.5, "y": 1.0, "n": 2, "fixed": 3}

    def test_a_score_that_is_not_defined_does_not_win(self, tuner: Tuner) -> None:
        def objective(trial: Trial) -> float:
            score = Objective()(trial)
            return float("nan") if trial.number % 2 else score

        search = self.search(tuner, objective)
        assert all(trial.score is None for trial in search.trials[1::2])
        assert search.best.number % 2 == 0

    def test_no_score_at_all_is_refused(self, tuner: Tuner) -> None:
        def objective(trial: Trial) -> float:
            Objective()(trial)
            return float("nan")

        with pytest.raises(RowsError, match="without a score"):
            self.search(tuner, objective)

    def test_errors_come_through(self, tuner: Tuner) -> None:
        def objective(trial: Trial) -> float:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            self.search(tuner, objective)


def plain(trial: Any) -> dict[str, Any]:
    """A trial without its time."""
    return {name: value for name, value in vars(trial).items() if name != "seconds"}
