import pytest

from platform_ml.features import DaysActive
from platform_ml.testing.features import FIRST, RollingContract, Visit, rows


class TestDaysActive(RollingContract):
    @pytest.fixture
    def feature(self):
        return DaysActive(days=7)

    def oracle(self, events, day):
        return len({event.day for event in events})

    def test_by_hand(self, feature):
        assert feature.name == "days_active_7d"
        assert feature.meaning == "Days with an event among the last 7."
        visits = [Visit(day=FIRST), Visit(day=FIRST), Visit(day=FIRST + 3)]
        found = rows(feature, visits)
        assert [found[FIRST + n, 1] for n in (0, 2, 3, 6, 7, 9, 10)] == [1, 1, 2, 2, 1, 1, 0]
