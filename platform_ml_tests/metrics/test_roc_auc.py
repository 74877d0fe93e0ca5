import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from platform_ml.metrics import RocAuc
from platform_ml.testing.metrics import MetricContract


class TestRocAuc(MetricContract):
    @pytest.fixture
    def metric(self):
        return RocAuc()

    def reference(self, truth, prediction, weights):
        return roc_auc_score(truth, prediction, sample_weight=weights)

    def test_by_hand(self, metric):
        assert metric.score(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.1, 0.4, 0.35, 0.8])) == pytest.approx(0.75)

    def test_only_the_order_counts(self, metric, rows):
        truth, prediction = rows
        assert metric.score(truth, 100 * prediction - 7) == metric.score(truth, prediction)
