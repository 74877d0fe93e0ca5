import numpy as np
import pytest
from sklearn.metrics import mean_pinball_loss

from platform_ml.metrics import ErrorCost
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.metrics import RegressionMetricContract


class TestErrorCost(RegressionMetricContract):
    @pytest.fixture
    def metric(self):
        return ErrorCost(of_too_low=3.0, of_too_high=1.0, currency="EUR")

    def reference(self, truth, prediction, weights):
        return 4 * mean_pinball_loss(truth, prediction, sample_weight=weights, alpha=0.75)

    def test_too_low_is_dearer(self, metric):
        assert metric.score(np.array([10.0]), np.array([8.0])) == 6
        assert metric.score(np.array([10.0]), np.array([12.0])) == 2
        assert metric.unit == "EUR per row"

    @pytest.mark.parametrize("cost", [0, -1, float("nan")])
    def test_a_cost_is_above_0(self, cost):
        with pytest.raises(DeclarationError, match="is no cost"):
            ErrorCost(of_too_low=cost, of_too_high=1.0)
