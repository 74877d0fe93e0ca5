from decimal import Decimal

import pytest

from platform_ml.aggregations import Minimum
from platform_ml.spec.schema import Double, Integer
from platform_ml.testing.aggregations import TYPES, AggregationContract, Asked, Sale, answers, windowed


class TestMinimum(AggregationContract):
    exact = True

    @pytest.fixture(params=("amount", "pieces", "weight"))
    def how(self, request):
        return Minimum(of=request.param)

    def oracle(self, how, events, seconds):
        found = min((value for value, _ in events), default=None)
        return found if how.of == "pieces" or found is None else float(found)

    def test_by_hand(self):
        how = Minimum(of="amount")
        assert (how.name, how.meaning, how.result(TYPES)) == ("amount_min", "Smallest amount", Double())
        assert Minimum(of="pieces").result(TYPES) == Integer()
        cents = [57, 3, -57, 99]
        events = [Sale(at=n, amount=Decimal(cent).scaleb(-2)) for n, cent in enumerate(cents)]
        found = answers(windowed(how)[-1:], events, [Asked(at=n) for n in range(5)])
        assert found == {"amount_min_ever": [None, 0.57, 0.03, -0.57, -0.57]}

    def test_large_whole_numbers_stay_exact(self):
        values = [-(2**62), -(2**62 + 1), 0, -(2**63)]
        events = [Sale(at=n, pieces=value) for n, value in enumerate(values)]
        (found,) = answers(windowed(Minimum(of="pieces"))[-1:], events, [Asked(at=n) for n in (1, 2, 3, 4)]).values()
        assert found == [values[0], values[1], values[1], values[3]]
