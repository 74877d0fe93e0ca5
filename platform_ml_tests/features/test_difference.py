from decimal import Decimal

import pytest

from platform_ml.features import Count, Difference, Field, Total
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.features import FIRST, SummedContract, Visit, rows, window


class TestDifference(SummedContract):
    @pytest.fixture
    def feature(self):
        return Difference(of=Total(days=9, of="amount"), less=Count(days=3))

    def oracle(self, events, day):
        return float(sum(e.amount or 0 for e in events)) - len(window(events, day, 3))

    def test_by_hand(self, feature):
        assert feature.name == "amount_sum_9d_less_count_3d"
        assert feature.meaning == "amount_sum_9d less count_3d."
        assert feature.measured_in({"amount": "EUR"}) is None
        same = Difference(of=Total(days=9, of="amount"), less=Total(days=3, of="amount"))
        assert same.measured_in({"amount": "EUR"}) == "EUR"
        found = rows(feature, [Visit(day=FIRST, amount=Decimal(6)), Visit(day=FIRST, amount=None)])
        assert [found[FIRST + day, 1] for day in (0, 3, 9)] == [4.0, 6.0, 0.0]

    def test_what_is_no_sum_over_days_is_refused(self):
        with pytest.raises(DeclarationError, match="Difference: 'amount' adds nothing up over days"):
            Difference(of=Count(days=3), less=Field(of="amount"))
