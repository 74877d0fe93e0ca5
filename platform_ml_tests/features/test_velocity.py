import pytest

from platform_ml.features import Velocity
from platform_ml.testing.features import FIRST, RollingContract, Visit, rows


class TestVelocity(RollingContract):
    @pytest.fixture
    def feature(self):
        return Velocity(days=10, of="pieces")

    def oracle(self, events, day):
        return sum(event.pieces or 0 for event in events) / 10

    def test_by_hand(self, feature):
        assert feature.name == "pieces_per_day_10d"
        assert feature.meaning == "pieces per day over the last 10 days."
        found = rows(feature, [Visit(day=FIRST, pieces=5), Visit(day=FIRST + 3, pieces=2)])
        assert [found[FIRST + n, 1] for n in (0, 3, 9, 10, 13)] == [0.5, 0.7, 0.7, 0.2, 0.0]
