import pytest

from platform_ml.features import Count
from platform_ml.testing.features import FIRST, RollingContract, Visit, rows


class TestCount(RollingContract):
    @pytest.fixture
    def feature(self):
        return Count(days=7)

    def oracle(self, events, day):
        return len(events)

    def test_by_hand(self, feature):
        assert feature.name == "count_7d"
        assert feature.meaning == "Events of the last 7 days."
        visits = [Visit(day=FIRST), Visit(day=FIRST), Visit(day=FIRST + 3, item="a")]
        found = rows(feature, visits)
        assert [found[FIRST + n, 1] for n in (0, 2, 3, 6, 7, 9, 10)] == [2, 2, 3, 3, 1, 1, 0]
