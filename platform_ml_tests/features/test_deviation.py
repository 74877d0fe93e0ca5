from decimal import Decimal
from statistics import stdev

import pytest

from platform_ml.features import Deviation
from platform_ml.testing.features import FIRST, RollingContract, Visit, rows


class TestDeviation(RollingContract):
    @pytest.fixture
    def feature(self):
        return Deviation(days=7, of="amount")

    def oracle(self, events, day):
        known = [event.amount for event in events if event.amount is not None]
        return float(stdev(known)) if len(known) > 1 else None

    def test_by_hand(self, feature):
        assert feature.name == "amount_std_7d"
        assert feature.meaning == "Sample standard deviation of amount over the events of the last 7 days."
        visits = [Visit(day=FIRST, amount=Decimal(amount)) for amount in (1, 1, 4, 4, 4, 7, 7)]
        assert rows(feature, [*visits, Visit(day=FIRST)])[FIRST, 1] == pytest.approx(6**0.5)
        assert rows(feature, visits[:1])[FIRST, 1] is None
