import pytest

from platform_ml.features import WeeksActive
from platform_ml.testing.features import FIRST, RollingContract, Visit, rows


class TestWeeksActive(RollingContract):
    @pytest.fixture
    def feature(self):
        return WeeksActive(days=17)

    def oracle(self, events, day):
        return len({(day - event.day) // 7 for event in events}) / 3

    def test_by_hand(self, feature):
        assert feature.name == "weeks_active_17d"
        assert feature.meaning == "Share of the weeks with an event among the last 17 days."
        found = rows(feature, [Visit(day=FIRST), Visit(day=FIRST), Visit(day=FIRST + 6), Visit(day=FIRST + 7)])
        assert [3 * found[FIRST + day, 1] for day in (0, 6, 7, 14, 16, 24)] == [1, 1, 2, 2, 2, 0]
