import pytest

from platform_ml.testing.tuners import TunerContract, proposed
from platform_ml.tuners import Random


class TestRandom(TunerContract):
    @pytest.fixture
    def tuner(self):
        return Random(trials=12)


def test_scores_do_not_matter():
    tuner = Random(trials=12)
    one, other = (proposed(tuner, batch=4, goal=goal) for goal in ("maximize", "minimize"))
    assert [attempt.values for attempt in one] == [attempt.values for attempt in other]
