from datetime import date, timedelta

import numpy as np
import pytest

from platform_ml.engine.bootstrap import Measured
from platform_ml.engine.stability import stability
from platform_ml.metrics import MAE, RocAuc

FIRST = date(2024, 1, 1)


def periods(values, drawn=None, rows=None, name="roc_auc", days=None):
    rows = rows or [100] * len(values)
    days = days or range(0, 7 * len(values), 7)
    drawn = np.empty((0, len(values))) if drawn is None else drawn
    return [
        (FIRST + timedelta(days=day), count, {name: Measured(value=value, drawn=drawn[:, at])})
        for at, (day, count, value) in enumerate(zip(days, rows, values, strict=True))
    ]


def test_a_straight_line_is_found_whatever_the_rows():
    found = stability([RocAuc()], periods([0.9, 0.85, 0.8], rows=[10, 400, 70]))["roc_auc"]
    assert found.trend.value == pytest.approx(-0.1)
    assert (found.periods, found.rows, found.trend.low) == (3, 480, None)


def test_time_counts_and_not_the_number_of_the_period():
    found = stability([RocAuc()], periods([0.9, 0.8, 0.5], days=[0, 7, 28]))["roc_auc"]
    assert found.trend.value == pytest.approx(-0.4)


def test_a_loss_that_grows_falls():
    found = stability([MAE()], periods([1.0, 2.0, 3.0], name="mae"))["mae"]
    assert found.trend.value == pytest.approx(-2)
    assert found.spread.value == pytest.approx(np.std([1, 2, 3]))


def test_trend_and_spread_of_numpy():
    values, rows = [0.8, 0.9, 0.7, 0.75], [50, 100, 30, 200]
    found = stability([RocAuc()], periods(values, rows=rows))["roc_auc"]
    slope = np.polyfit(range(4), values, 1, w=np.sqrt(rows))[0]
    assert found.trend.value == pytest.approx(3 * slope)
    assert found.spread.value == pytest.approx(np.sqrt(np.cov(values, fweights=rows, ddof=0)))


def test_what_chance_adds_is_no_spread_and_its_interval_covers_the_truth():
    draw = np.random.default_rng(0)
    covered = spreads = 0
    for _ in range(200):
        values = 0.8 + draw.normal(0, 0.02, 6)
        drawn = values + draw.normal(0, 0.02, (400, 6))
        found = stability([RocAuc()], periods(values.tolist(), drawn))["roc_auc"]
        covered += found.trend.low <= 0 <= found.trend.high
        spreads += found.spread.low == 0
    assert covered >= 180
    assert spreads >= 180


def test_a_real_difference_is_a_spread():
    draw = np.random.default_rng(0)
    values = [0.9, 0.7, 0.9, 0.7, 0.9, 0.7]
    found = stability([RocAuc()], periods(values, np.array(values) + draw.normal(0, 0.01, (400, 6))))["roc_auc"]
    assert found.spread.low > 0.08
    assert found.spread.value == pytest.approx(0.1, abs=0.002)


def test_a_period_without_a_number_is_left_out():
    found = stability([RocAuc()], periods([0.9, np.nan, 0.8]))["roc_auc"]
    assert (found.periods, found.rows) == (2, 200)
    assert found.trend.value == pytest.approx(-0.1)
    alone = stability([RocAuc()], periods([0.9]))["roc_auc"]
    assert (alone.periods, alone.trend.value, alone.spread.value) == (1, None, None)
    assert stability([RocAuc()], [])["roc_auc"].periods == 0


def test_resamples_without_a_number_leave_no_interval():
    drawn = np.full((100, 3), 0.8)
    drawn[:10, 1] = np.nan
    found = stability([RocAuc()], periods([0.9, 0.85, 0.8], drawn))["roc_auc"]
    assert found.trend.low is None
