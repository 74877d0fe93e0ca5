from decimal import Decimal
from math import exp

import numpy as np
import pandas as pd
import pytest

from platform_ml.features import ExponentialMean
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.features import FIRST, LAST, RollingContract, Visit, invented, rows


class TestExponentialMean(RollingContract):
    @pytest.fixture
    def feature(self):
        return ExponentialMean(days=11, decay_days=5, of="amount")

    def oracle(self, events, day):
        weights = [exp(-back / 5) for back in range(11)]
        return sum(float(e.amount or 0) * weights[day - e.day] for e in events) / sum(weights)

    def test_agrees_with_its_definition(self, feature, events, monkeypatch):
        # Weights are rounded to a billionth.
        monkeypatch.setattr("platform_ml.testing.features.CLOSE", 1e-8)
        super().test_agrees_with_its_definition(feature, events)

    def test_by_hand(self, feature):
        assert feature.name == "amount_decayed_5d_11d"
        assert feature.meaning == (
            "Mean of the daily sum of amount, weighing 1/e for every 5 days back, over the last 11 days, which have "
            "88.9% of the weight."
        )
        assert feature.measured_in({"amount": "EUR"}) == "EUR/day"
        same = [Visit(day=FIRST - 20 + n, amount=Decimal(7)) for n in range(30)]
        assert rows(feature, same)[FIRST, 1] == pytest.approx(7)
        once = rows(feature, [Visit(day=FIRST, amount=Decimal(100))])
        assert once[FIRST + 10, 1] / once[FIRST, 1] == pytest.approx(exp(-2))
        assert once[FIRST + 11, 1] == 0

    @pytest.mark.parametrize(("days", "decay"), [(33, 7), (194, 42)])
    def test_it_is_the_recursive_mean_of_pandas_but_for_the_share_that_it_says(self, days, decay):
        feature = ExponentialMean(days=days, decay_days=decay, of="amount")
        events = [event for event in invented(4, events=600) if event.shopper == 0]
        found = rows(feature, events)
        daily = pd.Series(0.0, index=np.arange(FIRST - 1_000, LAST + 10))
        for event in events:
            daily[event.day] += float(event.amount or 0)
        mean = daily.ewm(alpha=1 - exp(-1 / decay), adjust=False).mean()
        assert feature.left_out < 0.01
        for day in range(FIRST, LAST + 1):
            kept, before = found[day, 0] * (1 - feature.left_out), mean[day - days] * feature.left_out
            assert kept + before == pytest.approx(mean[day], rel=1e-8)

    def test_a_window_that_weighs_nothing_is_refused(self):
        with pytest.raises(DeclarationError, match="141 days are more than 20 times the decay of 7"):
            ExponentialMean(days=141, decay_days=7, of="amount")
        with pytest.raises(DeclarationError, match="a decay of 0 days weighs nothing"):
            ExponentialMean(days=7, decay_days=0, of="amount")

    def test_the_longest_window_has_room_for_large_numbers(self):
        feature = ExponentialMean(days=100, decay_days=5, of="pieces")
        assert rows(feature, [Visit(day=FIRST, pieces=10**9)])[FIRST, 1] == pytest.approx(10**9 * (1 - exp(-0.2)))
