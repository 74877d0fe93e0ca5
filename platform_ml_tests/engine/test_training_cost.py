import time

from platform_ml.engine.training_cost import Meter, training_cost
from platform_ml_tests.spec.test_energy import ENERGY

MEASURED = {"cpu_seconds": 7_200.0, "wall_seconds": 3_600.0, "elsewhere": False}
HERE = {"device": "cpu", "processor": "A Xeon"}


def test_the_meter_counts_work_and_not_waiting():
    meter = Meter.start()
    while meter.read()["cpu_seconds"] < 0.03:
        sum(range(10_000))
    worked = meter.read()
    time.sleep(0.05)
    waited = meter.read()
    assert waited["wall_seconds"] - worked["wall_seconds"] >= 0.049
    assert waited["cpu_seconds"] - worked["cpu_seconds"] < waited["wall_seconds"] - worked["wall_seconds"]


def test_without_declared_numbers_no_energy_is_made_up():
    said = training_cost(MEASURED, HERE, None)
    assert said["cpu_seconds"] == 7_200.0
    assert said["processor"] == "A Xeon"
    assert said["energy"] is None


def test_with_them_the_estimate_follows_from_what_was_measured():
    assert training_cost(MEASURED, HERE, ENERGY)["energy"] == ENERGY.estimate(7_200.0)


def test_what_was_not_measured_is_said():
    assert training_cost({}, {}, ENERGY) is None
    here, away = (training_cost(MEASURED | {"elsewhere": away}, HERE, None) for away in (False, True))
    assert "Not in it: accelerators" in " ".join(here["notes"])
    assert away["notes"][:2] == here["notes"]
    assert "the true cost is higher" in away["notes"][2]
