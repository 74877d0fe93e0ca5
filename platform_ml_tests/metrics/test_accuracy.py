import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from platform_ml.metrics import Accuracy
from platform_ml.testing.metrics import MulticlassMetricContract


class TestAccuracy(MulticlassMetricContract):
    needs_both_classes = False

    @pytest.fixture
    def metric(self):
        return Accuracy()

    def reference(self, truth, prediction, weights):
        return accuracy_score(truth, prediction.argmax(axis=1), sample_weight=weights)

    def test_of_equal_probabilities_the_first_class_is_taken(self, metric):
        assert metric.score(np.array([0.0, 1.0, 2.0]), np.full((3, 3), 1 / 3)) == pytest.approx(1 / 3)
