import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from platform_ml.metrics import MeanAveragePrecision
from platform_ml.testing.metrics import RankingMetricContract


class TestMeanAveragePrecision(RankingMetricContract):
    trec = "map"

    @pytest.fixture
    def metric(self):
        return MeanAveragePrecision()

    def reference(self, relevance):
        return average_precision_score(relevance > 0, -np.arange(len(relevance)))

    def test_by_hand(self, metric):
        found = metric.score(np.array([1.0, 0.0, 2.0]), np.array([3.0, 2.0, 1.0]), np.zeros(3, np.int64))
        assert found == pytest.approx((1 + 2 / 3) / 2)
