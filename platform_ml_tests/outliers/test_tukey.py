import numpy as np
import pytest

from platform_ml.outliers import Tukey
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.outliers import OutliersContract, limits_of


class TestTukey(OutliersContract):
    @pytest.fixture
    def rule(self):
        return Tukey(1.5)

    def oracle(self, values):
        low, high = np.percentile(values, [25, 75])
        return low - 1.5 * (high - low), high + 1.5 * (high - low)


def test_by_hand():
    assert limits_of(Tukey(), [1, 2, 3, 4, 5]) == (2 - 3 * 2, 4 + 3 * 2)
    assert "3 times" in Tukey().rule


@pytest.mark.parametrize("k", [0, -1, float("nan"), float("inf")])
def test_no_fence(k):
    with pytest.raises(DeclarationError, match="quartile ranges away"):
        Tukey(k)
