from decimal import Decimal

import pytest

from platform_ml.aggregations import Maximum
from platform_ml.spec.schema import Double, Integer
from platform_ml.testing.aggregations import TYPES, AggregationContract, Asked, Sale, answers, windowed


class TestMaximum(AggregationContract):
    exact = True

    @pytest.fixture(params=("amount", "pieces", "weight"))
    def how(self, request):
        return Maximum(of=request.param)

    def oracle(self, how, events, seconds):
        found = max((value for value, _ in events), default=None)
        return found if how.of == "pieces" or found is None else float(found)

    def test_by_hand(self):
        how = Maximum(of="amount")
        assert (how.name, how.meaning, how.result(TYPES)) == ("amount_max", "Greatest amount", Double())
        assert Maximum(of="pieces").result(TYPES) == Integer()
        cents = [57, 3, -57, 99]
        events = [Sale(at=n, amount=Decimal(cent).scaleb(-2)) for n, cent in enumerate(cents)]
        found = answers(windowed(how)[-1:], events, [Asked(at=n) for n in range(5)])
        assert found == {"amount_max_ever": [None, 0.57, 0.57, 0.57, 0.99]}

    def test_large_whole_numbers_stay_exact(self):
        values = [(2**62), (2**62 + 1), 0, 2**63 - 1]
        events = [Sale(at=n, pieces=value) for n, value in enumerate(values)]
        (found,) = answers(windowed(Maximum(of="pieces"))[-1:], events, [Asked(at=n) for n in (1, 2, 3, 4)]).values()
        assert found == [values[0], values[1], values[1], values[3]]
