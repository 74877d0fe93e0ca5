import numpy as np
import pytest

from platform_ml.metrics import PrecisionAtK
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.metrics import RankingMetricContract


class TestPrecisionAtK(RankingMetricContract):
    trec = "P.5"
    best_is_one = False

    @pytest.fixture
    def metric(self):
        return PrecisionAtK(5)

    def reference(self, relevance):
        return (relevance[:5] > 0).sum() / 5

    def test_a_small_group_cannot_fill_the_places(self, metric):
        assert metric.score(np.array([1.0, 2.0]), np.array([3.0, 2.0]), np.zeros(2, np.int64)) == 2 / 5

    def test_it_is_called_by_its_place(self, metric):
        assert (metric.name, metric.title) == ("precision_at_5", "Precision@5")
        with pytest.raises(DeclarationError, match="at=0 looks at no row"):
            PrecisionAtK(0)
