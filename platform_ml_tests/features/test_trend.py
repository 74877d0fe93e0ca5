from decimal import Decimal
from fractions import Fraction

import pytest

from platform_ml.features import Trend
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.features import FIRST, RollingContract, Visit, rows


class TestTrend(RollingContract):
    @pytest.fixture
    def feature(self):
        return Trend(days=7, of="amount")

    def oracle(self, events, day):
        totals = [Fraction(sum(e.amount or 0 for e in events if e.day == at)) for at in range(day - 6, day + 1)]
        return float(sum((at - 3) * total for at, total in enumerate(totals)) / sum((at - 3) ** 2 for at in range(7)))

    def test_by_hand(self, feature):
        assert feature.name == "amount_trend_7d"
        assert feature.meaning == "Slope of the daily sum of amount over the last 7 days, per day."
        growing = [Visit(day=FIRST + n, amount=Decimal(2 * n)) for n in range(7)]
        assert rows(feature, growing)[FIRST + 6, 1] == 2.0
        # One event of 28 on the last day of the window: 28 * (6 - 3) / (7 * 48 / 12).
        assert rows(feature, [Visit(day=FIRST, amount=Decimal(28))])[FIRST, 1] == 3.0

    def test_what_stays_the_same_has_no_slope(self, feature):
        same = [Visit(day=FIRST + n, amount=Decimal("1234567.89")) for n in range(7)]
        assert rows(feature, same)[FIRST + 6, 1] == 0.0

    def test_a_slope_needs_two_days(self):
        with pytest.raises(DeclarationError, match="Trend: a slope needs at least 2 days"):
            Trend(days=1, of="amount")
