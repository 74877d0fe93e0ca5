from decimal import Decimal
from fractions import Fraction

import pytest

from platform_ml.aggregations import Mean
from platform_ml.testing.aggregations import AggregationContract, Asked, Sale, answers, windowed


class TestMean(AggregationContract):
    @pytest.fixture(params=("amount", "pieces", "weight"))
    def how(self, request):
        self.exact = request.param != "weight"
        return Mean(of=request.param)

    def oracle(self, how, events, seconds):
        return float(sum(Fraction(value) for value, _ in events) / len(events)) if events else None

    def test_by_hand(self):
        how = Mean(of="amount")
        assert (how.name, how.meaning) == ("amount_mean", "Mean amount")
        events = [Sale(at=0, amount=Decimal("0.10")), Sale(at=1), Sale(at=2, amount=Decimal("0.20"))]
        found = answers(windowed(how)[-1:], events, [Asked(at=0), Asked(at=2), Asked(at=3)])
        assert found == {"amount_mean_ever": [None, 0.1, 0.15]}

    def test_whole_numbers_are_added_up_exactly(self):
        events = [Sale(at=n, pieces=value) for n, value in enumerate((2**53 + 1, -(2**53)))]
        assert answers(windowed(Mean(of="pieces"))[-1:], events, [Asked(at=9)]) == {"pieces_mean_ever": [0.5]}
