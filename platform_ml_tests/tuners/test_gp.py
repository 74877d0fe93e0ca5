import sys

import pytest

from platform_ml.spec.errors import DeclarationError, PlatformError
from platform_ml.testing.tuners import Objective, TunerContract, search
from platform_ml.tuners import GP, Convergence

pytest.importorskip("torch", reason="platform_ml[deep] is not installed")


class TestGP(TunerContract):
    @pytest.fixture
    def tuner(self):
        return GP(trials=12, startup_trials=10)


def test_it_learns_where_the_good_ones_are():
    trials = search(GP(trials=16, pruner=None, convergence=None), Objective(steps=1)).trials
    assert min(trial.score for trial in trials[12:]) > sum(trial.score for trial in trials[:10]) / 10
    assert max(trial.score for trial in trials[10:]) > max(trial.score for trial in trials[:10])


def test_it_ends_when_the_best_stands_still():
    rule = Convergence(trials=4, tolerance=0.2)
    found = search(GP(startup_trials=6, pruner=None, convergence=rule), Objective(steps=1))
    assert 10 <= len(found.trials) < 30
    assert found.ended.startswith("converged: the last 4 finished trials added ")
    assert found.ended.endswith("20.00% is the tolerance")
    assert found.caveat == ""


@pytest.mark.parametrize(
    ("scores", "over"),
    [
        ([0, 1, 2, 3, 4, 5], False),
        ([0, 5, 5, 5, 5, 5], True),
        ([0, 4, 4, 4, 5, 5], False),
        ([0, 1, 2, 4, 99.99, 100, 100, 100], True),
        ([1, 1, 1, 1, 1, 1], True),
        ([0, 5, 5], False),
    ],
)
def test_standing_still_is_a_ratio(scores, over):
    tuner = GP(startup_trials=3, convergence=Convergence(trials=3, tolerance=0.01))
    assert bool(tuner.converged(scores)) == over
    assert bool(tuner.converged([1_000 * score for score in scores])) == over
    assert GP(startup_trials=3, convergence=None).converged(scores) == ""


def test_nonsense_is_refused():
    with pytest.raises(DeclarationError, match="Use at most 100, or TPE"):
        GP(trials=101)
    with pytest.raises(DeclarationError, match="tolerance"):
        Convergence(tolerance=-1)


def test_without_torch_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(PlatformError, match=r"The tuner GP needs torch.*platform_ml\[deep\]"):
        GP().sampler(1)
