from datetime import timedelta

import pytest

from platform_ml import aggregations as agg
from platform_ml import features as of
from platform_ml.spec.quality import SCORE, Scored

UNITS = {"amount": "EUR", "pieces": "piece", "speed": "km/h"}
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("feature", "unit"),
    [
        (of.Count(days=7), "events"),
        (of.DaysActive(days=7), "days"),
        (of.Recency(days=7), "days"),
        (of.Tenure(days=7), "days"),
        (of.Distinct(days=7, of="item"), "values"),
        (of.Frequency(days=7, of="item"), "values/week"),
        (of.RepeatRate(days=7, of="item"), "share"),
        (of.Total(days=7, of="amount"), "EUR"),
        (of.Mean(days=7, of="amount"), "EUR"),
        (of.Deviation(days=7, of="amount"), "EUR"),
        (of.Variance(days=7, of="amount"), "EUR²"),
        (of.Variance(days=7, of="speed"), "(km/h)²"),
        (of.Trend(days=7, of="amount"), "EUR/day²"),
        (of.Velocity(days=7, of="pieces"), "piece/day"),
        (of.Ratio(days=7, of="amount", per="pieces"), "EUR/piece"),
        (of.Ratio(days=7, of="amount", per="item"), None),
        (of.Tier(days=7, of="amount"), None),
        (of.Field(of="amount"), "EUR"),
        (of.Field(of="item"), None),
        (of.Exists(called="known"), None),
        (of.Age(), "minutes"),
        (of.Age(unit=timedelta(minutes=15)), "15m"),
        (Scored(called=SCORE), None),
    ],
)
def test_units(feature, unit):
    assert feature.measured_in(UNITS) == unit
    if "amount" in feature.columns():
        assert feature.measured_in({}) is None


@pytest.mark.parametrize(
    ("how", "unit"),
    [
        (agg.Count(), "events"),
        (agg.Distinct(of="item"), "values"),
        (agg.Rate(per=HOUR), "events/1h"),
        (agg.Trend(of="amount", per=HOUR), "EUR/1h"),
        (agg.Variance(of="amount"), "EUR²"),
        *((made(of="amount"), "EUR") for made in (agg.Mean, agg.Total, agg.Minimum, agg.Maximum, agg.Deviation)),
        *((made(of="amount"), "EUR") for made in (agg.First, agg.Last)),
        (agg.DecayedMean(of="amount", half_life=HOUR), "EUR"),
        (agg.Mean(of="item"), None),
    ],
)
def test_units_of_windows(how, unit):
    assert of.Windowed(how=how, window=HOUR).measured_in(UNITS) == unit
