from dataclasses import replace
from time import sleep

import pytest

from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.tuners import Objective, TunerContract, plain
from platform_ml.tuners import TPE


class TestTPE(TunerContract):
    @pytest.fixture
    def tuner(self):
        return TPE(trials=20, startup_trials=5)


class TestWithoutPruning(TunerContract):
    @pytest.fixture
    def tuner(self):
        return TPE(trials=12, prune=False)


def search(tuner, objective=None, goal="maximize", seed=3):
    return tuner.search(objective or Objective(goal=goal), name="test", goal=goal, seed=seed)


@pytest.mark.parametrize("goal", ["maximize", "minimize"])
def test_poor_trials_are_stopped_and_good_ones_are_not(goal):
    found = search(TPE(trials=40, warmup_steps=20), goal=goal)
    stopped = [trial for trial in found.trials if trial.score is None]
    assert 5 < len(stopped) < 35
    assert all(20 <= len(trial.steps) <= 40 for trial in found.trials)
    assert min(len(trial.steps) for trial in stopped) < 40
    final = {trial.number: trial.steps[-1] + 1 / len(trial.steps) for trial in found.trials}
    assert max(final, key=final.get) == found.best.number


def test_without_pruning_every_trial_ends():
    assert all(trial.score is not None for trial in search(TPE(trials=20, prune=False)).trials)


def test_more_trials_begin_like_fewer():
    few, many = (search(TPE(trials=trials)).trials for trials in (12, 25))
    assert [plain(trial) for trial in many[:12]] == [plain(trial) for trial in few]


def test_it_learns_where_the_good_ones_are():
    trials = search(TPE(trials=60, prune=False)).trials
    early, late = (sum(trial.score for trial in part) / 20 for part in (trials[:20], trials[40:]))
    assert late > early + 0.2


def test_a_report_that_is_no_number_stops_the_trial():
    def objective(trial):
        score = Objective(steps=0)(trial)
        trial.report(0, float("inf") if trial.number % 2 else score)
        return score

    trials = search(TPE(trials=6), objective).trials
    assert [trial.score is None for trial in trials] == [False, True] * 3
    assert trials[1].steps == ()


def test_time_can_be_limited():
    def objective(trial):
        sleep(0.02)
        return Objective()(trial)

    tuner = TPE(trials=1_000, seconds=0.1)
    assert 1 < len(search(tuner, objective).trials) < 10
    assert len(search(replace(tuner, seconds=1e-9), objective).trials) == 1


@pytest.mark.parametrize("field", ["trials", "startup_trials", "seconds"])
def test_nonsense_is_refused(field):
    with pytest.raises(DeclarationError, match=field):
        TPE(**{field: 0})
