from decimal import Decimal

import pytest

from platform_ml.features import Age, Count, Deviation, Distinct, Named, Quotient, Total
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.schema import Double
from platform_ml.testing.features import FIRST, TYPES, SummedContract, Visit, rows, window


class TestQuotient(SummedContract):
    @pytest.fixture
    def feature(self):
        return Quotient(of=Total(days=3, of="amount"), per=Total(days=9, of="amount"))

    def oracle(self, events, day):
        short, long = (sum(e.amount or 0 for e in window(events, day, days)) for days in (3, 9))
        return float(short / long) if long else None

    def test_by_hand(self, feature):
        assert feature.name == "amount_sum_3d_over_amount_sum_9d"
        assert feature.meaning == "amount_sum_3d over amount_sum_9d."
        assert (feature.lookback_days, feature.columns()) == (9, ("amount",))
        assert feature.measured_in({"amount": "EUR"}) is None
        per = Quotient(of=Total(days=3, of="amount"), per=Count(days=3))
        assert per.measured_in({"amount": "EUR"}) == "(EUR)/(events)"
        found = rows(feature, [Visit(day=FIRST, amount=Decimal(6)), Visit(day=FIRST + 4, amount=Decimal(2))])
        assert [found[FIRST + day, 1] for day in (0, 3, 4, 9, 13)] == [1.0, 0.0, 0.25, 0.0, None]

    def test_what_is_no_sum_over_days_is_refused(self, feature):
        with pytest.raises(DeclarationError, match=r"Quotient: 'age_in_1m' adds nothing up over days\. Use features"):
            Quotient(of=Age(), per=feature)
        with pytest.raises(DeclarationError, match="Total of 'amount': the column is DOUBLE"):
            feature.result(TYPES | {"amount": Double()})

    def test_parts_may_share_what_is_added_up(self):
        parts = Quotient(of=Named(of=Distinct(days=9, of="item"), called="items"), per=Deviation(days=9, of="amount"))
        assert (parts.name, len(parts.terms())) == ("items_over_amount_std_9d", 4)
        assert len(Quotient(of=Count(days=3), per=Count(days=3)).terms()) == 1
