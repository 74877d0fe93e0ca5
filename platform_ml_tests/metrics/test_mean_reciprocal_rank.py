import numpy as np
import pytest

from platform_ml.metrics import MeanReciprocalRank
from platform_ml.testing.metrics import RankingMetricContract


class TestMeanReciprocalRank(RankingMetricContract):
    trec = "recip_rank"

    @pytest.fixture
    def metric(self):
        return MeanReciprocalRank()

    def reference(self, relevance):
        return 1 / (1 + np.flatnonzero(relevance)[0])

    def test_many_rows_of_one_score(self, metric):
        truth = np.zeros(1_000)
        truth[[3, 500]] = 1
        first = np.arange(1, 1_000)
        chance = 2 * (1_000 - first) / (1_000 * 999)  # of being the first of two places
        found = metric.score(truth, np.zeros(1_000), np.zeros(1_000, np.int64))
        assert found == pytest.approx((chance / first).sum(), rel=1e-9)
