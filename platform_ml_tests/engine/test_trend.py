from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_ml.engine.trend import trend
from platform_ml.spec.evaluation import Estimate

FIRST = date(2024, 1, 1)
Z = 1.959964


def days(number):
    return [FIRST + timedelta(days=30 * n) for n in range(number)]


def known(value, error=0.01):
    return Estimate(value=value, low=value - Z * error, high=value + Z * error)


def test_a_straight_line_is_found_and_worse_is_what_the_goal_says():
    rising = [known(0.5 + 0.1 * n) for n in range(4)]
    found = trend(days(4), rising, goal="minimize")
    assert found.worsening.value == pytest.approx(0.3)
    assert [day for day, _ in found.line] == ["2024-01-01", "2024-03-31"]
    assert [value for _, value in found.line] == pytest.approx([0.5, 0.8])
    assert not found.allowed(0.0)
    assert not found.allowed(0.1)
    assert found.allowed(0.3)
    better = trend(days(4), rising, goal="maximize")
    assert better.worsening.value == pytest.approx(-0.3)
    assert better.allowed(0.0)


def test_an_oracle_of_weighted_least_squares():
    """Numpy's polyfit, whose weights are inverse standard errors."""
    values, errors = np.array([1.0, 1.3, 1.1, 1.6, 1.2]), np.array([0.1, 0.02, 0.05, 0.2, 0.03])
    estimates = [known(value, error) for value, error in zip(values, errors, strict=True)]
    x = np.linspace(0, 1, 5)
    (slope, start), covariance = np.polyfit(x, values, 1, w=1 / errors, cov=True)  # scaled by scatter, as Birge's is
    found = trend(days(5), estimates, goal="minimize")
    assert [value for _, value in found.line] == pytest.approx([start, start + slope], rel=1e-5)
    reach = 3.182446 * np.sqrt(covariance[0, 0])
    assert found.worsening.low == pytest.approx(slope - reach, rel=1e-4)
    assert found.worsening.high == pytest.approx(slope + reach, rel=1e-4)


def test_where_cutoffs_agree_better_than_their_intervals_the_intervals_hold():
    found = trend(days(3), [known(1.0, 0.1)] * 3, goal="minimize")
    assert found.worsening.value == pytest.approx(0.0)
    assert found.worsening.high == pytest.approx(12.7062 * 0.1 / np.sqrt(0.5), rel=1e-4)


@pytest.mark.parametrize(
    "estimates",
    [
        [],
        [known(0.5)] * 2,
        [known(0.5), known(0.9), Estimate(value=0.7)],
        [known(0.5), known(0.9), Estimate(value=None)],
        [known(0.5), known(0.9), Estimate(value=0.7, low=0.7, high=0.7)],
    ],
)
def test_two_cutoffs_with_intervals_say_nothing(estimates):
    found = trend(days(len(estimates)), estimates, goal="minimize")
    assert (found.worsening.value, found.line) == (None, None)
    assert found.allowed(0.0)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-5, 5), st.floats(0.01, 2)), min_size=3, max_size=12),
    st.floats(-10, 10),
    st.floats(0.1, 10),
)
def test_it_does_not_depend_on_where_zero_is_and_scales_with_the_unit(points, shift, unit):
    before = trend(days(len(points)), [known(*point) for point in points], goal="minimize").worsening
    moved = [known(shift + unit * value, unit * error) for value, error in points]
    after = trend(days(len(points)), moved, goal="minimize").worsening
    for one, other in zip((before.value, before.low, before.high), (after.value, after.low, after.high), strict=True):
        assert other == pytest.approx(unit * one, rel=1e-5, abs=1e-5)


def test_it_seldom_cries_wolf_and_sees_what_grows():
    draw, wrong, right = np.random.default_rng(3), 0, 0
    for _ in range(400):
        flat = 1 + draw.normal(0, 0.02, 8) + draw.normal(0, 0.03, 8)  # cutoffs differ by more than chance
        wrong += not trend(days(8), [known(value, 0.02) for value in flat], goal="minimize").allowed(0.0)
        grown = flat + np.linspace(0, 0.3, 8)
        right += not trend(days(8), [known(value, 0.02) for value in grown], goal="minimize").allowed(0.0)
    assert wrong <= 0.05 * 400
    assert right >= 0.95 * 400
