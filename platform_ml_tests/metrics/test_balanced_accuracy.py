import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from platform_ml.metrics import BalancedAccuracy, BinaryAccuracy
from platform_ml.testing.metrics import MetricContract


class TestBalancedAccuracy(MetricContract):
    @pytest.fixture
    def metric(self):
        return BalancedAccuracy()

    def reference(self, truth, prediction, weights):
        return balanced_accuracy_score(truth, prediction >= 0.5, sample_weight=weights)

    def test_selecting_nothing_is_a_coin(self, metric):
        truth, nothing = np.array([1.0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), np.zeros(10)
        assert BinaryAccuracy().score(truth, nothing) == 0.9
        assert metric.score(truth, nothing) == 0.5
