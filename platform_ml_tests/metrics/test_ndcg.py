import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from platform_ml.metrics import NDCG
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.metrics import RankingMetricContract


class TestNDCG(RankingMetricContract):
    trec = "ndcg_cut.10"

    @pytest.fixture
    def metric(self):
        return NDCG()

    def reference(self, relevance):
        discount = 1 / np.log2(np.arange(2, len(relevance) + 2))
        return relevance @ discount / (np.sort(relevance)[::-1] @ discount)

    @pytest.mark.parametrize("at", [1, 3])
    def test_only_the_first_rows_count(self, at):
        draw = np.random.default_rng(2)
        truth, score = draw.integers(0, 4, 40).astype(float), np.round(draw.normal(size=40), 1)
        expected = ndcg_score(truth[None], score[None], k=at)
        assert NDCG(at).score(truth, score, np.zeros(40, np.int64)) == pytest.approx(expected)

    def test_by_hand(self, metric):
        found = metric.score(np.array([0.0, 2.0, 1.0]), np.array([3.0, 2.0, 1.0]), np.zeros(3, np.int64))
        assert found == pytest.approx((2 / np.log2(3) + 1 / 2) / (2 + 1 / np.log2(3)))

    def test_it_is_called_by_its_place(self):
        assert (NDCG(5).name, NDCG(5).title) == ("ndcg_at_5", "NDCG@5")
        with pytest.raises(DeclarationError, match="at=0 looks at no row"):
            NDCG(0)
