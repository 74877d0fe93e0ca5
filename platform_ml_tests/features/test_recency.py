import pytest

from platform_ml.features import Recency
from platform_ml.testing.features import FIRST, RollingContract, Visit, rows


class TestRecency(RollingContract):
    @pytest.fixture
    def feature(self):
        return Recency(days=7)

    def oracle(self, events, day):
        return min((day - event.day for event in events), default=None)

    def test_by_hand(self, feature):
        assert feature.name == "days_since_last_7d"
        assert feature.meaning == "Days since the last event, looking back 7 days."
        found = rows(feature, [Visit(day=FIRST), Visit(day=FIRST + 3)])
        assert [found[FIRST + n, 1] for n in (0, 2, 3, 9, 10)] == [0, 2, 0, 6, None]
