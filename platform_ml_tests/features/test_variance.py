from decimal import Decimal
from statistics import variance

import pytest

from platform_ml.features import Variance
from platform_ml.testing.features import FIRST, RollingContract, Visit, rows


class TestVariance(RollingContract):
    @pytest.fixture
    def feature(self):
        return Variance(days=7, of="amount")

    def oracle(self, events, day):
        known = [event.amount for event in events if event.amount is not None]
        return float(variance(known)) if len(known) > 1 else None

    def test_by_hand(self, feature):
        assert feature.name == "amount_var_7d"
        assert feature.meaning == "Sample variance of amount over the events of the last 7 days."
        visits = [Visit(day=FIRST + n, amount=Decimal(amount)) for n, amount in ((0, 1), (0, 2), (3, 6))]
        found = rows(feature, visits)
        assert [found[FIRST + n, 1] for n in (0, 3, 7)] == [0.5, 7.0, None]

    def test_no_digits_cancel(self, feature):
        visits = [Visit(day=FIRST, amount=Decimal(9_000_000) + Decimal(n) / 100) for n in range(3)]
        assert rows(feature, visits)[FIRST, 1] == pytest.approx(0.0001, rel=1e-12)
        assert rows(feature, [Visit(day=FIRST, amount=Decimal("0.10"))] * 3)[FIRST, 1] == 0.0

    def test_squares_of_whole_numbers_do_not_overflow(self):
        big = [Visit(day=FIRST, pieces=4 * 10**9 + n) for n in (0, 2)]
        assert rows(Variance(days=7, of="pieces"), big)[FIRST, 1] == 2.0
