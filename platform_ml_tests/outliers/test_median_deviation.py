import numpy as np
import pytest

from platform_ml.outliers import MedianDeviation
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.outliers import OutliersContract, limits_of


class TestMedianDeviation(OutliersContract):
    @pytest.fixture
    def rule(self):
        return MedianDeviation()

    def oracle(self, values):
        middle = np.median(values)
        reach = 3.5 * np.median(np.abs(values - middle)) / 0.6745
        return middle - reach, middle + reach


def test_of_normal_values_some_in_ten_thousand_are_outside():
    values = np.random.default_rng(1).normal(size=100_000)
    low, high = limits_of(MedianDeviation(), values)
    assert 2e-4 < np.mean((values < low) | (values > high)) < 8e-4


@pytest.mark.parametrize("z", [0, -1, float("nan"), float("inf")])
def test_no_bound(z):
    with pytest.raises(DeclarationError, match="bounds nothing"):
        MedianDeviation(z)
