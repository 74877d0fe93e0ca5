import pytest
from sklearn.metrics import mean_squared_error

from platform_ml.metrics import MSE, RMSE
from platform_ml.testing.metrics import RegressionMetricContract


class TestMSE(RegressionMetricContract):
    of_three_said_to_be_five = 4

    @pytest.fixture
    def metric(self):
        return MSE()

    def reference(self, truth, prediction, weights):
        return mean_squared_error(truth, prediction, sample_weight=weights)

    def test_its_root_is_the_other_one(self, metric, rows):
        assert metric.score(*rows) == pytest.approx(RMSE().score(*rows) ** 2)
