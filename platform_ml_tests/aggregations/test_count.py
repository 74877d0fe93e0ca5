import pytest

from platform_ml.aggregations import Count
from platform_ml.spec.schema import Integer
from platform_ml.testing.aggregations import SECOND, TYPES, AggregationContract, Asked, Sale, answers, windowed


class TestCount(AggregationContract):
    exact = True

    @pytest.fixture(params=(None, "item"))
    def how(self, request):
        return Count(of=request.param)

    def oracle(self, how, events, seconds):
        return len(events)

    def test_by_hand(self):
        assert (Count().name, Count().meaning, Count().columns()) == ("count", "Events", ())
        assert (Count(of="item").name, Count(of="item").meaning) == ("item_count", "Events with item")
        assert Count().result(TYPES) == Integer()
        events = [Sale(at=0, item="a"), Sale(at=0), Sale(at=6 * SECOND, item="a")]
        rows = [Asked(at=0), Asked(at=1), Asked(at=7 * SECOND), Asked(at=7 * SECOND + 1)]
        assert answers(windowed(Count())[:1], events, rows) == {"count_7s": [0, 2, 3, 1]}
        assert answers(windowed(Count(of="item"))[:1], events, rows) == {"item_count_7s": [0, 1, 2, 1]}
