import sys
from dataclasses import replace

import pytest

from platform_ml.adapters.ray_tune import RayTune
from platform_ml.engine.study import Study
from platform_ml.spec.errors import PlatformError, RowsError
from platform_ml.spec.tuner import WarmStart
from platform_ml.testing.tuners import Entries, Objective, Space, plain, search
from platform_ml.tuners import TPE, Asha

TUNER = TPE(trials=4, startup_trials=2, parallel=2, pruner=Asha(first_rung=3, reduction=2))
FIXED = replace(Space(), x=0.5, y=1.0, n=2)
WARM = WarmStart(digest="d" * 64, cutoff="2024-01-01", family="space", params={"x": 1.0, "y": 1.0, "n": 5})


def study(**more):
    declared = {"family": Space(), "tuner": TUNER, "goal": "maximize", "seed": 3, **more}
    return Study(name="contract", where="The contract", **declared)


def refuse(trial):
    """Cannot learn from its rows."""
    raise RowsError("too deep")


def fail(trial):
    """Has a fault."""
    raise ZeroDivisionError("odd")


@pytest.fixture(scope="module")
def cluster():
    """Two cores of this machine, for all tests."""
    ray = pytest.importorskip("ray", reason="platform_ml[ray] is not installed: 240 MB that only a cluster needs")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
class TestOnRay:
    def test_it_finds_what_this_machine_finds(self, cluster):
        journal = Entries()
        found = RayTune().search(study(journal=journal, warm_start=WARM), Objective(steps=10))
        alone = here(warm_start=WARM)
        assert [plain(trial) for trial in found.trials] == [plain(trial) for trial in alone]
        assert found.trials[0].origin == "warm start"
        assert {trial.state for trial in found.trials} == {"finished", "stopped"}
        assert (found.ended, found.caveat) == ("all 4 trials", "")
        assert sorted(entry["trial"]["number"] for entry in journal.written) == [0, 1, 2, 3]
        journal.written = [entry for entry in journal.written if entry["trial"]["number"] < 3]
        resumed = RayTune().search(study(journal=journal, warm_start=WARM), Objective(steps=10))
        assert [plain(trial) for trial in resumed.trials] == [plain(trial) for trial in alone]
        assert len(journal.written) == 4

    def test_ray_halves_by_itself_when_nobody_waits(self, cluster):
        found = RayTune(asynchronous=True).search(study(), Objective(steps=10))
        assert [trial.number for trial in found.trials] == [0, 1, 2, 3]
        assert found.caveat == "trials were started and stopped as others ended"
        for trial in found.trials:
            assert trial.seconds > 0
            assert (trial.state == "finished") == (len(trial.steps) == 10)

    def test_errors_are_those_of_this_machine(self, cluster):
        with pytest.raises(RowsError, match=r"The contract ended without a score: none of 4 .* too deep"):
            RayTune().search(study(), refuse)
        with pytest.raises(ZeroDivisionError, match="odd"):
            RayTune().search(study(), fail)


def here(**more):
    """The same search in processes of this machine."""
    return search(TUNER, Objective(steps=10), **more).trials


def test_nothing_to_search_needs_no_cluster():
    pytest.importorskip("ray", reason="platform_ml[ray] is not installed: 240 MB that only a cluster needs")
    found = RayTune().search(study(family=FIXED), Objective(space=FIXED))
    assert len(found.trials) == 1


def test_without_ray_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(PlatformError, match=r"needs ray.*pip install 'platform_ml\[ray\]'"):
        RayTune().search(study(), Objective())
