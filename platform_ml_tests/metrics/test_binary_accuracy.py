import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from platform_ml.metrics import BinaryAccuracy
from platform_ml.testing.metrics import MetricContract


class TestBinaryAccuracy(MetricContract):
    needs_both_classes = False

    @pytest.fixture
    def metric(self):
        return BinaryAccuracy()

    def reference(self, truth, prediction, weights):
        return accuracy_score(truth, prediction >= 0.5, sample_weight=weights)

    def test_a_row_at_the_threshold_is_selected(self):
        truth, prediction = np.array([1.0, 0.0]), np.array([0.3, 0.2])
        assert BinaryAccuracy(0.3).score(truth, prediction) == 1
        assert BinaryAccuracy(0.2).score(truth, prediction) == 0.5
