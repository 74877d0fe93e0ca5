import numpy as np
import optuna
import pytest

from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.pruners import PrunerContract
from platform_ml.tuners import Asha
from platform_ml_tests.tuners.walks import stopped_at, theirs


class TestAsha(PrunerContract):
    @pytest.fixture
    def pruner(self):
        return Asha(first_rung=5)


@pytest.mark.parametrize("reduction", [2, 3, 4])
def test_it_stops_what_optuna_stops(reduction):
    draw = np.random.default_rng(reduction)
    lengths = draw.integers(10, 60, 30)
    walks = [np.cumsum(draw.normal(size=length)).tolist() for length in lengths]
    pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=3, reduction_factor=reduction)
    expected = theirs(pruner, walks)
    assert stopped_at(Asha(first_rung=3, reduction=reduction), walks) == expected
    assert len({None, *expected}) > 2


def test_rungs_are_the_steps_at_which_it_judges():
    assert Asha(first_rung=5, reduction=3).rungs(100) == [5, 15, 45]
    assert Asha(first_rung=5).rungs(5) == []


def test_nonsense_is_refused():
    with pytest.raises(DeclarationError, match="out of bounds"):
        Asha(reduction=1)
