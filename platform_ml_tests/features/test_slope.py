from decimal import Decimal
from fractions import Fraction

import pytest
from scipy.stats import linregress

from platform_ml.features import Slope
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.features import FIRST, RollingContract, Visit, invented, rows, window


class TestSlope(RollingContract):
    @pytest.fixture
    def feature(self):
        return Slope(days=7, of="amount")

    def oracle(self, events, day):
        known = [(e.day, Fraction(e.amount)) for e in events if e.amount is not None]
        if len({at for at, _ in known}) < 2:
            return None
        middle = Fraction(sum(at for at, _ in known), len(known))
        return float(sum((at - middle) * x for at, x in known) / sum((at - middle) ** 2 for at, _ in known))

    def test_by_hand(self, feature):
        assert feature.name == "amount_slope_7d"
        assert feature.meaning == "Slope of amount over the events of the last 7 days, per day."
        assert feature.measured_in({"amount": "s/km"}) == "s/km/day"
        falling = [Visit(day=FIRST + day, amount=Decimal(300 - 2 * day)) for day in (0, 1, 5)]
        found = rows(feature, falling)
        assert [found[FIRST + day, 1] for day in (0, 1, 5, 11)] == [None, -2.0, -2.0, None]

    def test_it_is_the_slope_of_scipy(self, feature):
        events = [event for event in invented(5, events=400) if event.shopper == 0 and event.amount is not None]
        seen = window(events, FIRST + 6, 7)
        slope = linregress([event.day for event in seen], [float(event.amount) for event in seen]).slope
        assert rows(feature, events)[FIRST + 6, 0] == pytest.approx(slope)

    def test_a_slope_needs_two_days(self):
        with pytest.raises(DeclarationError, match="Slope: a slope needs at least 2 days"):
            Slope(days=1, of="amount")
