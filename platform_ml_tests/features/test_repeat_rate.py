import pytest

from platform_ml.features import RepeatRate
from platform_ml.testing.features import FIRST, RollingContract, Visit, rows


class TestRepeatRate(RollingContract):
    @pytest.fixture
    def feature(self):
        return RepeatRate(days=7, of="item")

    def oracle(self, events, day):
        days = {item: {e.day for e in events if e.item == item} for item in {e.item for e in events} - {None}}
        return sum(len(seen) > 1 for seen in days.values()) / len(days) if days else None

    def test_by_hand(self, feature):
        assert feature.name == "item_repeat_rate_7d"
        assert feature.meaning == "Share of item seen on two or more of the last 7 days."
        visits = [Visit(day=FIRST, item=item) for item in ("a", "a", "b", None)]
        found = rows(feature, [*visits, Visit(day=FIRST + 3, item="a"), Visit(day=FIRST + 7, item="a")])
        # Twice on one day is no repeat; from day 7 on, only a of days 3 and 7 is left.
        assert [found[FIRST + n, 1] for n in (0, 3, 6, 7, 9, 10, 13, 14)] == [0.0, 0.5, 0.5, 1.0, 1.0, 0.0, 0.0, None]
