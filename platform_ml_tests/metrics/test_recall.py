import math

import numpy as np
import pytest
from sklearn.metrics import recall_score

from platform_ml.metrics import Recall
from platform_ml.testing.metrics import MetricContract


class TestRecall(MetricContract):
    needs_both_classes = False

    @pytest.fixture
    def metric(self):
        return Recall(0.3)

    def reference(self, truth, prediction, weights):
        return recall_score(truth, prediction >= 0.3, sample_weight=weights, zero_division=np.nan)

    @pytest.mark.parametrize("only", [0.0, 1.0])
    def test_one_class(self, metric, rows, only):
        """Not defined where no row is true."""
        score = metric.score(np.full(len(rows[0]), only), rows[1])
        assert score == np.mean(rows[1] >= 0.3) if only else math.isnan(score)
