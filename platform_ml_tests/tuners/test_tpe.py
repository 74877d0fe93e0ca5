from dataclasses import replace
from time import sleep

import pytest

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.fingerprint import fingerprint, meaning
from platform_ml.testing.tuners import Entries, Objective, TunerContract, plain, search
from platform_ml.tuners import TPE, Asha, Latency, Median


class TestTPE(TunerContract):
    @pytest.fixture
    def tuner(self):
        return TPE(trials=16, startup_trials=5)


class TestWithoutPruning(TunerContract):
    @pytest.fixture
    def tuner(self):
        return TPE(trials=12, pruner=None)


@pytest.mark.parametrize("goal", ["maximize", "minimize"])
def test_poor_trials_are_stopped_and_good_ones_are_not(goal):
    found = search(TPE(trials=40, pruner=Median(warmup_steps=20)), Objective(goal=goal), goal)
    stopped = [trial for trial in found.trials if trial.score is None]
    assert 5 < len(stopped) < 35
    assert all(20 <= len(trial.steps) <= 40 for trial in found.trials)
    assert min(len(trial.steps) for trial in stopped) < 40
    final = {trial.number: trial.steps[-1] + 1 / len(trial.steps) for trial in found.trials}
    assert max(final, key=final.get) == found.best.number


def test_without_pruning_every_trial_ends():
    assert all(trial.score is not None for trial in search(TPE(trials=20, pruner=None), Objective()).trials)


def test_more_trials_begin_like_fewer():
    few, many = (search(TPE(trials=trials), Objective()).trials for trials in (12, 25))
    assert [plain(trial) for trial in many[:12]] == [plain(trial) for trial in few]


def test_it_learns_where_the_good_ones_are():
    trials = search(TPE(trials=60, pruner=None), Objective()).trials
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
    assert trials[1].reason == "step 0 scored inf"


def test_time_can_be_limited():
    def objective(trial):
        sleep(0.02)
        return Objective()(trial)

    tuner = TPE(trials=1_000, seconds=0.1)
    found = search(tuner, objective)
    assert 1 <= len(found.trials) < 10
    assert found.ended == "out of time"
    assert "time decided" in found.caveat
    assert len(search(replace(tuner, seconds=1e-9), objective).trials) == 1


def test_time_that_was_spent_before_a_kill_counts():
    journal = Entries()
    search(TPE(trials=4), Objective(), journal=journal)
    for number, entry in enumerate(journal.written):
        journal.written[number] = {**entry, "elapsed": 100.0 * (number + 1)}
    found = search(TPE(trials=50, seconds=400), Objective(), journal=journal)
    assert (len(found.trials), found.ended) == (4, "out of time")


def test_a_limit_on_latency_is_no_promise():
    limited = TPE(trials=1, objectives=(Latency(at_most=1),))
    assert limited != replace(limited, objectives=(Latency(),))


@pytest.mark.parametrize("field", ["trials", "startup_trials", "seconds", "parallel"])
def test_nonsense_is_refused(field):
    with pytest.raises(DeclarationError, match=field):
        TPE(**{field: 0})


def test_an_objective_counts_once():
    with pytest.raises(DeclarationError, match="objective 'latency' 2 times"):
        TPE(objectives=(Latency(), Latency(at_most=3)))


@pytest.mark.parametrize("at_most", [0, -1, float("nan")])
def test_a_limit_that_nothing_meets_is_refused(at_most):
    with pytest.raises(DeclarationError, match="Latency: at_most="):
        Latency(at_most=at_most)


def test_what_was_trained_before_pruners_were_declared_stays_as_it_is():
    """Whoever changes this makes every model stale."""
    assert fingerprint(TPE(trials=20)) == "fa77f8245f46bfbc99fa9ca5e44dafc8351509e5d88104ca1c1f100f25ee4db4"
    assert meaning(TPE()) == {
        "is": "TPE",
        "trials": 30,
        "startup_trials": 10,
        "prune": True,
        "warmup_steps": 50,
        "seconds": None,
    }
    others = [TPE(pruner=None), TPE(pruner=Median(warmup_steps=51)), TPE(pruner=Asha()), TPE(parallel=2)]
    assert len({fingerprint(tuner) for tuner in (TPE(), *others)}) == 5
