import pytest

from platform_ml.aggregations import First
from platform_ml.testing.aggregations import SECOND, TYPES, AggregationContract, Asked, Sale, answers, windowed


class TestFirst(AggregationContract):
    exact = True

    @pytest.fixture(params=("item", "amount", "pieces", "weight", "gift"))
    def how(self, request):
        return First(of=request.param)

    def oracle(self, how, events, seconds):
        return events[0][0] if events else None

    def test_by_hand(self, how):
        assert (First(of="item").name, First(of="item").meaning) == ("item_first", "Earliest item")
        assert how.result(TYPES) == TYPES[how.of]
        events = [Sale(at=0, item="a"), Sale(at=SECOND, item="b"), Sale(at=2 * SECOND)]
        rows = [Asked(at=0), Asked(at=SECOND), Asked(at=3 * SECOND), Asked(at=8 * SECOND)]
        assert answers(windowed(First(of="item"))[:1], events, rows) == {"item_first_7s": [None, "a", "a", "b"]}
