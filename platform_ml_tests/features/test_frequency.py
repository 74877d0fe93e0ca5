import pytest

from platform_ml.features import Frequency
from platform_ml.testing.features import FIRST, RollingContract, Visit, rows


class TestFrequency(RollingContract):
    @pytest.fixture
    def feature(self):
        return Frequency(days=14, of="item")

    def oracle(self, events, day):
        return len({event.item for event in events} - {None}) / 2

    def test_by_hand(self, feature):
        assert feature.name == "item_per_week_14d"
        assert feature.meaning == "Different item per week over the last 14 days."
        visits = [Visit(day=FIRST, item=item) for item in ("a", "a", "b", None)]
        found = rows(feature, [*visits, Visit(day=FIRST + 3, item="c")])
        assert [found[FIRST + n, 1] for n in (0, 3, 13, 14, 16, 17)] == [1.0, 1.5, 1.5, 0.5, 0.5, 0.0]
