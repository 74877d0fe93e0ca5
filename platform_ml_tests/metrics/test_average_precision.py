import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from platform_ml.metrics import AveragePrecision
from platform_ml.testing.metrics import MetricContract


class TestAveragePrecision(MetricContract):
    @pytest.fixture
    def metric(self):
        return AveragePrecision()

    def reference(self, truth, prediction, weights):
        return average_precision_score(truth, prediction, sample_weight=weights)

    def test_by_hand(self, metric):
        assert metric.score(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.1, 0.4, 0.35, 0.8])) == pytest.approx(5 / 6)

    def test_only_the_order_counts(self, metric, rows):
        truth, prediction = rows
        assert metric.score(truth, 100 * prediction - 7) == metric.score(truth, prediction)
