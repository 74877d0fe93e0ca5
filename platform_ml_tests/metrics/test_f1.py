import math

import numpy as np
import pytest
from sklearn.metrics import f1_score

from platform_ml.metrics import F1
from platform_ml.testing.metrics import MetricContract


class TestF1(MetricContract):
    needs_both_classes = False

    @pytest.fixture
    def metric(self):
        return F1(0.4)

    def reference(self, truth, prediction, weights):
        return f1_score(truth, prediction >= 0.4, sample_weight=weights, zero_division=np.nan)

    def test_nothing_true_and_nothing_selected_is_undefined(self, metric):
        assert math.isnan(metric.score(np.zeros(2), np.zeros(2)))
