import numpy as np
import pytest

from platform_ml.resamplings import Oversample
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.resamplings import RARE, ResamplingContract


class TestOversample(ResamplingContract):
    @pytest.fixture
    def resampling(self):
        return Oversample()


def test_no_row_is_lost_and_frequent_ones_are_there_once():
    places, times = np.unique(Oversample().rows(RARE, seed=1), return_counts=True)
    assert places.tolist() == list(range(1_000))
    assert (times[RARE == 0] == 1).all()
    assert times[RARE == 1].sum() == 900


def test_up_to_a_share_of_the_most_frequent_class():
    drawn = RARE[Oversample(to_share=0.5).rows(RARE, seed=1)]
    assert (drawn == 1).sum() == 450
    assert len(Oversample(to_share=0.1).rows(RARE, seed=1)) == 1_000


@pytest.mark.parametrize("share", [0, 1.5, float("nan")])
def test_a_share_is_a_share(share):
    with pytest.raises(DeclarationError, match="Oversample: to_share="):
        Oversample(to_share=share)
