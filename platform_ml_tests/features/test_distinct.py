import pytest

from platform_ml.features import Distinct
from platform_ml.testing.features import FIRST, RollingContract, Visit, rows


class TestDistinct(RollingContract):
    @pytest.fixture
    def feature(self):
        return Distinct(days=7, of="item")

    def oracle(self, events, day):
        return len({event.item for event in events} - {None})

    def test_by_hand(self, feature):
        assert feature.name == "item_distinct_7d"
        assert feature.meaning == "Different item of the last 7 days."
        visits = [Visit(day=FIRST, item=item) for item in ("a", "a", "b", None)]
        found = rows(feature, [*visits, Visit(day=FIRST + 3, item="a")])
        assert [found[FIRST + n, 1] for n in (0, 3, 6, 7, 9, 10)] == [2, 2, 2, 1, 1, 0]
