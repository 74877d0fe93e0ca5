import numpy as np
import pytest
from sklearn.metrics import r2_score

from platform_ml.metrics import R2
from platform_ml.testing.metrics import RegressionMetricContract


class TestR2(RegressionMetricContract):
    needs_both_classes = True

    @pytest.fixture
    def metric(self):
        return R2()

    def reference(self, truth, prediction, weights):
        return r2_score(truth, prediction, sample_weight=weights)

    def test_the_mean_explains_nothing_and_the_truth_everything(self, metric, rows):
        truth, _ = rows
        assert metric.score(truth, np.full(len(truth), truth.mean())) == pytest.approx(0, abs=1e-12)
        assert metric.score(truth, truth) == 1

    @pytest.mark.parametrize("value", [0.1, 1e9 / 3, -7.0])
    def test_a_label_that_does_not_vary_has_none(self, metric, value):
        truth = np.full(1_000, value)
        assert np.isnan(metric.score(truth, truth + np.arange(1_000)))
        truth[0] *= 1.001
        assert metric.score(truth, truth) == 1

    def test_nor_has_a_resample_of_one_row(self, metric, rows):
        weights = np.zeros((2, 60))
        weights[0, 5], weights[1] = 60, 1
        assert np.isnan(metric.resample(*rows, weights)).tolist() == [True, False]
