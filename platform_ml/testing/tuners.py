"""The laws of tuners: a member's test class inherits them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from platform_ml.engine.attempt import run_attempt
from platform_ml.engine.proposals import Proposals
from platform_ml.engine.study import Study
from platform_ml.spec.errors import RowsError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.space import Between, Whole
from platform_ml.spec.tuner import FAILED, FINISHED, STOPPED, Latency, Outcome, Size, WarmStart

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.engine.attempt import Attempt
    from platform_ml.engine.attempt import Objective as Scores
    from platform_ml.spec.family import Family
    from platform_ml.spec.metric import Goal
    from platform_ml.spec.tuner import Search, Trial, TriedParams, Tuner


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


@dataclass
class Entries:
    """A journal in memory."""

    written: list[Mapping[str, Any]] = field(default_factory=list)

    def read(self) -> list[Mapping[str, Any]]:
        """All entries."""
        return list(self.written)

    def append(self, entry: Mapping[str, Any]) -> None:
        """One more."""
        self.written.append(entry)


def search(tuner: Tuner, objective: Scores, goal: Goal = "maximize", seed: int = 3, **more: Any) -> Search:
    """One search; `more` are fields of the study."""
    family: Any = getattr(objective, "space", Space())
    study = Study(name="contract", where="The contract", family=family, tuner=tuner, goal=goal, seed=seed, **more)
    return study.search(objective)


class TunerContract:
    """What every tuner promises."""

    @pytest.fixture
    def tuner(self) -> Tuner:
        """The member under test, with at least 12 trials."""
        raise NotImplementedError

    def test_says_what_it_is(self, tuner: Tuner) -> None:
        assert fingerprint(tuner) == fingerprint(tuner)
        assert tuner.trials >= 12

    def test_every_trial_is_told(self, tuner: Tuner) -> None:
        objective = Objective()
        found = search(tuner, objective)
        assert [trial.number for trial in found.trials] == list(range(tuner.trials))
        assert [trial.params for trial in found.trials] == objective.drawn
        assert all(trial.seconds >= 0 and trial.steps for trial in found.trials)
        assert all((trial.state == FINISHED) == (trial.score is not None) for trial in found.trials)
        assert all(bool(trial.reason) == (trial.state == STOPPED) for trial in found.trials)
        assert found.ended == f"all {tuner.trials} trials"

    def test_ranges_are_drawn_from_and_values_kept(self, tuner: Tuner) -> None:
        for trial in search(tuner, Objective()).trials:
            assert -2 <= trial.params["x"] <= 2
            assert 0.01 <= trial.params["y"] <= 10
            assert trial.params["n"] in range(1, 9)
            assert isinstance(trial.params["n"], int)
            assert trial.params["fixed"] == 3

    @pytest.mark.parametrize("goal", ["maximize", "minimize"])
    def test_the_best_is_the_best(self, tuner: Tuner, goal: Goal) -> None:
        found = search(tuner, Objective(goal=goal), goal)
        scores = [trial.score for trial in found.trials if trial.score is not None]
        assert found.best in found.trials
        assert found.best.score == (max if goal == "maximize" else min)(scores)

    @pytest.mark.parametrize("goal", ["maximize", "minimize"])
    def test_same_seed_same_trials(self, tuner: Tuner, goal: Goal) -> None:
        first, second = ([plain(trial) for trial in search(tuner, Objective(goal=goal), goal).trials] for _ in "12")
        assert first == second

    def test_another_seed_other_trials(self, tuner: Tuner) -> None:
        first, second = (search(tuner, Objective(), seed=seed).best.params for seed in (1, 100))
        assert first != second

    @pytest.mark.parametrize("goal", ["maximize", "minimize"])
    def test_it_does_not_matter_which_way_is_better(self, tuner: Tuner, goal: Goal) -> None:
        objective = Objective(goal=goal)
        search(tuner, objective, goal)
        other = Objective()
        search(tuner, other)
        assert objective.drawn == other.drawn

    def test_nothing_to_search_is_one_trial(self, tuner: Tuner) -> None:
        found = search(tuner, Objective(space=replace(Space(), x=0.5, y=1.0, n=2)))
        assert len(found.trials) == 1
        assert found.best.params == {"x": 0.5, "y": 1.0, "n": 2, "fixed": 3}

    def test_a_killed_search_goes_on_where_it_was(self, tuner: Tuner) -> None:
        whole, journal = Entries(), Entries()
        undisturbed = search(tuner, Objective(), journal=whole)
        journal.written = whole.written[: len(whole.written) // 2]
        objective = Objective()
        resumed = search(tuner, objective, journal=journal)
        assert [plain(trial) for trial in resumed.trials] == [plain(trial) for trial in undisturbed.trials]
        assert len(objective.drawn) == len(whole.written) - len(whole.written) // 2
        assert [entry["trial"]["number"] for entry in journal.written] == list(range(len(whole.written)))

    def test_what_is_written_down_of_another_search_is_not_used(self, tuner: Tuner) -> None:
        journal, objective = Entries(), Objective()
        search(tuner, Objective(), journal=journal, seed=1)
        search(tuner, objective, journal=journal, seed=2)
        assert len(objective.drawn) == tuner.trials

    def test_trials_that_are_drawn_together_do_not_know_each_other(self, tuner: Tuner) -> None:
        one = proposed(tuner, batch=4)
        assert len({str(attempt.values) for attempt in one}) == len(one)
        assert [attempt.values for attempt in one] == [attempt.values for attempt in proposed(tuner, batch=4)]
        assert [attempt.values for attempt in one[4:]] == [attempt.values for attempt in proposed(tuner, batch=4)[4:]]

    def test_it_begins_with_what_it_is_given(self, tuner: Tuner) -> None:
        warm = WarmStart(digest="d" * 64, cutoff="2024-01-01", family="space", params={"x": 1.0, "y": 1.0, "n": 5})
        found = search(tuner, Objective(), warm_start=warm)
        assert found.best == found.trials[0]
        assert found.best.params == {"x": 1.0, "y": 1.0, "n": 5, "fixed": 3}
        assert [trial.origin for trial in found.trials] == ["warm start"] + ["drawn"] * (tuner.trials - 1)
        assert found.warm_start == warm

    def test_size_and_latency_make_a_front(self, tuner: Tuner) -> None:
        declared = replace(tuner, objectives=(Latency(), Size(at_most=6_000)))  # type: ignore[type-var]
        found = search(declared, measured)
        again = search(declared, measured)
        assert [plain(trial) for trial in found.trials] == [plain(trial) for trial in again.trials]
        trials = {trial.number: trial for trial in found.trials}
        assert found.best.number in found.front
        assert found.best.size_bytes is not None
        assert found.best.size_bytes <= 6_000
        for number in found.front:
            assert not any(beats(other, trials[number]) for other in found.trials)

    def test_no_model_within_the_limits_is_refused(self, tuner: Tuner) -> None:
        declared = replace(tuner, objectives=(Size(at_most=10),))  # type: ignore[type-var]
        with pytest.raises(RowsError, match=r"size_bytes <= 10 \(the least was [\d.e+]+\)"):
            search(declared, measured)

    def test_rows_that_a_trial_cannot_learn_from_fail_it_alone(self, tuner: Tuner) -> None:
        def objective(trial: Trial) -> float:
            score = Objective()(trial)
            if trial.number % 2:
                raise RowsError("too deep")
            return score

        found = search(tuner, objective)
        failed = [trial for trial in found.trials if trial.state == FAILED]
        assert {trial.reason for trial in failed} == {"too deep"}
        assert all(trial.number % 2 for trial in failed)

    def test_a_score_that_is_not_defined_does_not_win(self, tuner: Tuner) -> None:
        def objective(trial: Trial) -> float:
            score = Objective()(trial)
            return float("nan") if trial.number % 2 else score

        found = search(tuner, objective)
        assert all(trial.score is None for trial in found.trials[1::2])
        assert found.best.number % 2 == 0

    def test_no_score_at_all_is_refused(self, tuner: Tuner) -> None:
        def objective(trial: Trial) -> float:
            Objective()(trial)
            return float("nan")

        with pytest.raises(RowsError, match=r"The contract ended without a score: none of .* its metric was not"):
            search(tuner, objective)

    def test_errors_come_through(self, tuner: Tuner) -> None:
        def objective(trial: Trial) -> float:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            search(tuner, objective)


def proposed(tuner: Tuner, *, batch: int, goal: Goal = "maximize") -> list[Attempt]:
    """What a tuner draws when it is asked for some trials at a time and told a score of each."""
    proposals = Proposals.of(tuner, Space(), name="contract", goal=goal, seed=3, warm=None)  # type: ignore[arg-type]
    found: list[Attempt] = []
    while len(found) < 3 * batch:
        asked = proposals.ask(batch)
        proposals.tell([run_attempt(Objective(), attempt) for attempt in asked])
        found += asked
    return found


def measured(trial: Trial) -> Outcome:
    """The greater `n`, the better, the greater and the slower."""
    score = Objective()(trial)
    family: Any = Space()
    size = trial.params(family)["n"]
    return Outcome(score=score + size, size_bytes=1_000 * size, latency_ms=float(size))


def beats(one: TriedParams, other: TriedParams) -> bool:
    """Whether a trial is at least as good in all and better in some way."""
    if one.score is None or other.score is None:
        return one.score is not None
    pairs = [
        (one.score, other.score),
        (-(one.latency_ms or 0), -(other.latency_ms or 0)),
        (-(one.size_bytes or 0), -(other.size_bytes or 0)),
    ]
    return all(a >= b for a, b in pairs) and any(a > b for a, b in pairs)


def plain(trial: Any) -> dict[str, Any]:
    """A trial without its time."""
    return {name: value for name, value in vars(trial).items() if name != "seconds"}
