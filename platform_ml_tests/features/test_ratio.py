from decimal import Decimal

import pytest

from platform_ml.features import Ratio
from platform_ml.testing.features import FIRST, RollingContract, Visit, rows


class TestRatio(RollingContract):
    @pytest.fixture
    def feature(self):
        return Ratio(days=7, of="amount", per="pieces")

    def oracle(self, events, day):
        pieces = sum(event.pieces or 0 for event in events)
        return float(sum(event.amount or 0 for event in events) / pieces) if pieces else None

    def test_by_hand(self, feature):
        assert feature.name == "amount_per_pieces_7d"
        assert feature.meaning == "Sum of amount over sum of pieces, last 7 days."
        visits = [Visit(day=FIRST, amount=Decimal("4.50"), pieces=3), Visit(day=FIRST + 3, amount=Decimal(2), pieces=0)]
        found = rows(feature, visits)
        assert [found[FIRST + n, 1] for n in (0, 3, 7)] == [1.5, pytest.approx(6.5 / 3), None]
