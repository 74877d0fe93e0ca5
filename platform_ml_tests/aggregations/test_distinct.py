import math

import pytest

from platform_ml.aggregations import Distinct
from platform_ml.spec.schema import Integer
from platform_ml.testing.aggregations import TYPES, AggregationContract, Asked, Sale, answers, windowed


class TestDistinct(AggregationContract):
    exact = True

    @pytest.fixture(params=("item", "amount", "pieces", "gift"))
    def how(self, request):
        return Distinct(of=request.param)

    def oracle(self, how, events, seconds):
        return len({value for value, _ in events})

    def test_by_hand(self):
        how = Distinct(of="item")
        assert (how.name, how.meaning, how.result(TYPES)) == ("item_distinct", "Different item", Integer())
        items = ["a", "b", None, "a", "A", "\u00e9", "e\u0301"]
        found = answers(windowed(how)[-1:], [Sale(at=n, item=item) for n, item in enumerate(items)], [Asked(at=99)])
        assert found == {"item_distinct_ever": [5]}

    def test_numbers_are_the_same_however_they_are_stored(self):
        weights = [0.0, -0.0, math.nan, -math.nan, math.inf, -math.inf]
        events = [Sale(at=n, weight=weight) for n, weight in enumerate(weights)]
        assert answers(windowed(Distinct(of="weight"))[-1:], events, [Asked(at=99)]) == {"weight_distinct_ever": [4]}
