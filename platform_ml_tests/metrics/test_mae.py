import pytest
from sklearn.metrics import mean_absolute_error

from platform_ml.metrics import MAE
from platform_ml.testing.metrics import RegressionMetricContract


class TestMAE(RegressionMetricContract):
    @pytest.fixture
    def metric(self):
        return MAE()

    def reference(self, truth, prediction, weights):
        return mean_absolute_error(truth, prediction, sample_weight=weights)
