import statistics

import pytest

from platform_ml.aggregations import Variance
from platform_ml.testing.aggregations import AggregationContract, Asked, Sale, answers, windowed


class TestVariance(AggregationContract):
    @pytest.fixture(params=("amount", "pieces", "weight"))
    def how(self, request):
        return Variance(of=request.param)

    def oracle(self, how, events, seconds):
        return float(statistics.variance(value for value, _ in events)) if len(events) > 1 else None

    def test_by_hand(self):
        how = Variance(of="pieces")
        assert (how.name, how.meaning) == ("pieces_var", "Variance of pieces")
        events = [Sale(at=n, pieces=value) for n, value in enumerate((1, None, 3))]
        found = answers(windowed(how)[-1:], events, [Asked(at=0), Asked(at=2), Asked(at=3)])
        assert found == {"pieces_var_ever": [None, None, 2.0]}

    def test_small_differences_of_large_values(self):
        events = [Sale(at=n, weight=1e9 + value) for n, value in enumerate((0.0, 1.0, 2.0))]
        assert answers(windowed(Variance(of="weight"))[-1:], events, [Asked(at=9)]) == {"weight_var_ever": [1.0]}
