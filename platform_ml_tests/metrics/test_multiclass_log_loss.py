import numpy as np
import pytest
from sklearn.metrics import log_loss

from platform_ml.metrics import MulticlassLogLoss
from platform_ml.testing.metrics import MulticlassMetricContract


class TestMulticlassLogLoss(MulticlassMetricContract):
    needs_both_classes = False

    @pytest.fixture
    def metric(self):
        return MulticlassLogLoss()

    def reference(self, truth, prediction, weights):
        return log_loss(truth, np.clip(prediction, 1e-300, 1), sample_weight=weights, labels=range(self.classes))

    def test_by_hand(self, metric):
        said = np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]])
        assert metric.score(np.array([1.0, 1.0]), said) == pytest.approx(np.log(4) / 2)
        assert metric.score(np.array([1.0, 0.0]), said) == pytest.approx((np.log(4) + 52 * np.log(2)) / 2)

    def test_what_is_no_probability_is_undefined(self, metric):
        assert np.isnan(metric.score(np.array([1.0]), np.array([[-0.1, 1.1]])))
