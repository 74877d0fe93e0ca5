import numpy as np
import pytest

from platform_ml.metrics import RecallAtK
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.metrics import RankingMetricContract


class TestRecallAtK(RankingMetricContract):
    trec = "recall.5"
    best_is_one = False

    @pytest.fixture
    def metric(self):
        return RecallAtK(5)

    def reference(self, relevance):
        return (relevance[:5] > 0).sum() / (relevance > 0).sum()

    def test_one_of_two_relevant_rows_is_found(self):
        truth, score = np.array([1.0, 0.0, 2.0]), np.array([3.0, 2.0, 1.0])
        assert RecallAtK(1).score(truth, score, np.zeros(3, np.int64)) == 0.5

    def test_it_is_called_by_its_place(self, metric):
        assert (metric.name, metric.title) == ("recall_at_5", "Recall@5")
        with pytest.raises(DeclarationError, match="at=0 looks at no row"):
            RecallAtK(0)
