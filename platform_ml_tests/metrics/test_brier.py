import math

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from platform_ml.metrics import Brier
from platform_ml.testing.metrics import MetricContract


class TestBrier(MetricContract):
    needs_both_classes = False

    @pytest.fixture
    def metric(self):
        return Brier()

    def reference(self, truth, prediction, weights):
        return brier_score_loss(truth, prediction, sample_weight=weights, pos_label=1.0)

    def test_a_score_is_no_probability(self, metric):
        assert math.isnan(metric.score(np.array([0.0, 1.0]), np.array([0.2, 1.5])))
