import numpy as np
import pytest
from sklearn.metrics import f1_score

from platform_ml.metrics import MacroF1
from platform_ml.testing.metrics import MulticlassMetricContract


class TestMacroF1(MulticlassMetricContract):
    needs_both_classes = False

    @pytest.fixture
    def metric(self):
        return MacroF1()

    def reference(self, truth, prediction, weights):
        again = np.repeat(np.arange(len(truth)), weights.astype(np.int64))
        return f1_score(truth[again], prediction.argmax(axis=1)[again], average="macro", zero_division=0)

    def test_a_class_that_is_neither_there_nor_predicted_does_not_count(self, metric):
        assert metric.score(np.array([0.0, 1.0]), np.array([[1.0, 0, 0], [0, 1.0, 0]])) == 1
        assert metric.score(np.array([0.0, 1.0]), np.array([[1.0, 0, 0], [0, 0, 1.0]])) == pytest.approx(1 / 3)
