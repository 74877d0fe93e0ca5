import numpy as np
import optuna
import pytest

from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.pruners import PrunerContract
from platform_ml.tuners import Median
from platform_ml_tests.tuners.walks import stopped_at, theirs


class TestMedian(PrunerContract):
    @pytest.fixture
    def pruner(self):
        return Median(warmup_steps=20)


@pytest.mark.parametrize("seed", range(3))
def test_it_stops_what_optuna_stops(seed):
    draw = np.random.default_rng(seed)
    lengths = draw.integers(10, 40, 30)
    walks = [np.cumsum(draw.normal(size=length)).tolist() for length in lengths]
    pruner = optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=7)
    expected = theirs(pruner, walks)
    assert stopped_at(Median(warmup_steps=7, after_trials=4), walks) == expected
    assert len({None, *expected}) > 3


def test_nonsense_is_refused():
    with pytest.raises(DeclarationError, match="out of bounds"):
        Median(warmup_steps=-1)
