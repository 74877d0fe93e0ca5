import pytest

from platform_ml.features import Tenure
from platform_ml.testing.features import FIRST, RollingContract, Visit, rows


class TestTenure(RollingContract):
    @pytest.fixture
    def feature(self):
        return Tenure(days=7)

    def oracle(self, events, day):
        return max((day - event.day for event in events), default=None)

    def test_by_hand(self, feature):
        assert feature.name == "days_since_first_7d"
        assert feature.meaning == "Days since the first event, looking back 7 days."
        found = rows(feature, [Visit(day=FIRST), Visit(day=FIRST + 3)])
        assert [found[FIRST + n, 1] for n in (0, 2, 3, 6, 7, 9, 10)] == [0, 2, 3, 6, 4, 6, None]
