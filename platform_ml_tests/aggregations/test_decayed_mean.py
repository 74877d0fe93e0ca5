from datetime import timedelta

import pytest

from platform_ml.aggregations import DecayedMean
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.aggregations import SECOND, AggregationContract, Asked, Sale, answers, windowed


class TestDecayedMean(AggregationContract):
    @pytest.fixture(params=("amount", "pieces", "weight"))
    def how(self, request):
        return DecayedMean(of=request.param, half_life=timedelta(seconds=20))

    def oracle(self, how, events, seconds):
        if not events:
            return None
        weights = [2 ** (-age / how.half_life.total_seconds()) for _, age in events]
        return sum(w * float(value) for w, (value, _) in zip(weights, events, strict=True)) / sum(weights)

    def test_by_hand(self):
        how = DecayedMean(of="pieces", half_life=timedelta(seconds=1))
        assert how.name == "pieces_decayed_1s"
        assert how.meaning == "Mean pieces, halved in weight every 1s,"
        events = [Sale(at=0, pieces=4), Sale(at=SECOND, pieces=1)]
        found = answers(windowed(how)[-1:], events, [Asked(at=0), Asked(at=1), Asked(at=5 * SECOND)])
        assert found == {"pieces_decayed_1s_ever": [None, 4.0, pytest.approx((4 * 0.5 + 1) / 1.5)]}

    def test_old_events_still_have_a_mean(self):
        how = DecayedMean(of="pieces", half_life=timedelta(milliseconds=1))
        events = [Sale(at=0, pieces=4), Sale(at=1000, pieces=1)]
        found = answers(windowed(how)[-1:], events, [Asked(at=500 * SECOND)])
        assert found == {"pieces_decayed_1000us_ever": [pytest.approx(2.0)]}

    @pytest.mark.parametrize("half_life", [timedelta(0), timedelta(seconds=-1)])
    def test_a_half_life_that_weighs_nothing(self, half_life):
        with pytest.raises(
            DeclarationError, match=r"DecayedMean: a half-life of .* weighs nothing\. Use more than zero"
        ):
            DecayedMean(of="pieces", half_life=half_life)
