from decimal import Decimal

import pytest

from platform_ml.features import Total
from platform_ml.testing.features import FIRST, RollingContract, Visit, rows


class TestTotal(RollingContract):
    @pytest.fixture
    def feature(self):
        return Total(days=7, of="amount")

    def oracle(self, events, day):
        return float(sum(event.amount or 0 for event in events))

    def test_by_hand(self, feature):
        assert feature.name == "amount_sum_7d"
        assert feature.meaning == "Sum of amount over the last 7 days."
        found = rows(feature, [Visit(day=FIRST, amount=Decimal("0.10"))] * 3 + [Visit(day=FIRST + 3)])
        assert [found[FIRST + n, 1] for n in (0, 6, 7)] == [0.3, 0.3, 0.0]
