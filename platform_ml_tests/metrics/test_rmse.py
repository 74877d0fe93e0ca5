import numpy as np
import pytest
from sklearn.metrics import root_mean_squared_error

from platform_ml.metrics import MAE, RMSE
from platform_ml.testing.metrics import RegressionMetricContract


class TestRMSE(RegressionMetricContract):
    @pytest.fixture
    def metric(self):
        return RMSE()

    def reference(self, truth, prediction, weights):
        return root_mean_squared_error(truth, prediction, sample_weight=weights)

    def test_one_large_error_weighs_more_than_many_small_ones(self, metric):
        truth = np.zeros(4)
        large, small = np.array([4.0, 0, 0, 0]), np.ones(4)
        assert MAE().score(truth, large) == MAE().score(truth, small) == 1
        assert metric.score(truth, large) == 2
        assert metric.score(truth, small) == 1
