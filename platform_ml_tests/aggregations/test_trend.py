import math
from datetime import timedelta
from statistics import linear_regression

import pytest

from platform_ml.aggregations import Trend
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.aggregations import SECOND, AggregationContract, Asked, Sale, answers, windowed


class TestTrend(AggregationContract):
    @pytest.fixture(params=("amount", "pieces", "weight"))
    def how(self, request):
        return Trend(of=request.param, per=timedelta(seconds=1))

    def oracle(self, how, events, seconds):
        times = [-age / how.per.total_seconds() for _, age in events]
        if len(set(times)) < 2:
            return None
        return linear_regression(times, [float(value) for value, _ in events]).slope

    def test_by_hand(self):
        how = Trend(of="pieces", per=timedelta(minutes=1))
        assert (how.name, how.meaning) == ("pieces_trend_per_1m", "Slope of pieces per 1m")
        events = [Sale(at=n * SECOND, pieces=value) for n, value in enumerate((1, 2, 3))]
        rows = [Asked(at=n * SECOND) for n in (1, 2, 3)]
        (found,) = answers(windowed(how)[-1:], events, rows).values()
        assert found == [None, pytest.approx(60), pytest.approx(60)]

    def test_there_is_no_slope_at_one_moment(self):
        for weights in ((1.0, 2.0), (math.nan, 2.0), (math.nan,)):
            events = [Sale(at=0, weight=weight) for weight in weights]
            (found,) = answers(windowed(Trend(of="weight"))[-1:], events, [Asked(at=9)]).values()
            assert found == [None]

    @pytest.mark.parametrize("per", [timedelta(0), timedelta(seconds=-1)])
    def test_per_nothing(self, per):
        with pytest.raises(DeclarationError, match=r"Trend: a slope per .* is none\. Use more than zero"):
            Trend(of="pieces", per=per)
