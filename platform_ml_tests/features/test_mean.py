from decimal import Decimal

import pytest

from platform_ml.features import Mean
from platform_ml.testing.features import FIRST, RollingContract, Visit, rows


class TestMean(RollingContract):
    @pytest.fixture
    def feature(self):
        return Mean(days=7, of="amount")

    def oracle(self, events, day):
        known = [event.amount for event in events if event.amount is not None]
        return float(sum(known) / len(known)) if known else None

    def test_by_hand(self, feature):
        assert feature.name == "amount_mean_7d"
        assert feature.meaning == "Mean amount per event of the last 7 days."
        found = rows(
            feature, [Visit(day=FIRST, amount=Decimal(1)), Visit(day=FIRST + 3, amount=Decimal(4)), Visit(day=FIRST)]
        )
        assert [found[FIRST + n, 1] for n in (0, 3, 7, 10)] == [1.0, 2.5, 4.0, None]
