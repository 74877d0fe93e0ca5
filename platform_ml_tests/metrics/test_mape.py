import math

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_percentage_error

from platform_ml.metrics import MAPE
from platform_ml.testing.metrics import RegressionMetricContract


class TestMAPE(RegressionMetricContract):
    of_three_said_to_be_five = 2 / 3

    @pytest.fixture
    def metric(self):
        return MAPE()

    def reference(self, truth, prediction, weights):
        there = truth != 0
        return mean_absolute_percentage_error(truth[there], prediction[there], sample_weight=weights[there])

    @pytest.mark.parametrize("only", [0.0, -2.0])
    def test_one_class(self, metric, rows, only):
        """Not defined where every label is 0."""
        score = metric.score(np.full(len(rows[0]), only), rows[1])
        assert score == pytest.approx(np.mean(abs(rows[1] + 2)) / 2) if only else math.isnan(score)

    def test_rows_of_label_0_are_left_out(self, metric):
        truth = np.array([0.0, 10.0, -4.0])
        assert metric.score(truth, np.array([7.0, 9.0, -5.0])) == pytest.approx((0.1 + 0.25) / 2)
        assert math.isnan(metric.score(truth, np.array([math.nan, 9.0, -5.0])))
