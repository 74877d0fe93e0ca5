import pytest

from platform_ml.aggregations import Last
from platform_ml.testing.aggregations import SECOND, TYPES, AggregationContract, Asked, Sale, answers, windowed


class TestLast(AggregationContract):
    exact = True

    @pytest.fixture(params=("item", "amount", "pieces", "weight", "gift"))
    def how(self, request):
        return Last(of=request.param)

    def oracle(self, how, events, seconds):
        return events[-1][0] if events else None

    def test_by_hand(self, how):
        assert (Last(of="item").name, Last(of="item").meaning) == ("item_last", "Latest item")
        assert how.result(TYPES) == TYPES[how.of]
        events = [Sale(at=0, item="a"), Sale(at=SECOND, item="b"), Sale(at=2 * SECOND)]
        rows = [Asked(at=0), Asked(at=SECOND), Asked(at=3 * SECOND), Asked(at=9 * SECOND)]
        assert answers(windowed(Last(of="item"))[:1], events, rows) == {"item_last_7s": [None, "a", "b", None]}

    def test_large_whole_numbers_come_back_as_they_are(self):
        events = [Sale(at=0, pieces=2**63 - 1), Sale(at=SECOND, pieces=-(2**63))]
        rows = [Asked(at=1), Asked(at=SECOND + 1)]
        assert answers(windowed(Last(of="pieces"))[:1], events, rows) == {"pieces_last_7s": [2**63 - 1, -(2**63)]}
