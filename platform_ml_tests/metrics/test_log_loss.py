import math

import numpy as np
import pytest
from sklearn.metrics import log_loss

from platform_ml.metrics import LogLoss
from platform_ml.testing.metrics import MetricContract


class TestLogLoss(MetricContract):
    needs_both_classes = False

    @pytest.fixture
    def metric(self):
        return LogLoss()

    def reference(self, truth, prediction, weights):
        return log_loss(truth, prediction, sample_weight=weights, labels=[0.0, 1.0])

    def test_a_score_is_no_probability(self, metric):
        assert math.isnan(metric.score(np.array([0.0, 1.0]), np.array([0.2, 1.5])))
