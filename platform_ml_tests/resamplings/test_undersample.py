import numpy as np
import pytest

from platform_ml.resamplings import Undersample
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.resamplings import RARE, ResamplingContract


class TestUndersample(ResamplingContract):
    @pytest.fixture
    def resampling(self):
        return Undersample()


def test_no_row_is_there_twice():
    places = Undersample().rows(RARE, seed=1)
    assert len(places) == len(np.unique(places)) == 200


def test_down_to_a_share():
    drawn = RARE[Undersample(to_share=0.25).rows(RARE, seed=1)]
    assert ((drawn == 1).sum(), (drawn == 0).sum()) == (100, 400)
    assert len(Undersample(to_share=0.1).rows(RARE, seed=1)) == 1_000


@pytest.mark.parametrize("share", [0, -1, 2])
def test_a_share_is_a_share(share):
    with pytest.raises(DeclarationError, match="Undersample: to_share="):
        Undersample(to_share=share)
