"""The simulated population against the figures of Vickers and Vertosick (2016)."""

from dataclasses import replace

import pytest

from platform_ml.simulators import AthleteSeasons
from platform_ml.simulators.athlete_figures import figures, noise_floor

SOME = AthleteSeasons(athletes=800)
"""A thousand marathons: a mean squared error is then known to some 5 %."""


@pytest.fixture(scope="module")
def found():
    return figures(SOME)


@pytest.mark.parametrize(("name", "published"), [("riegel", 381), ("one_race", 228), ("two_races", 208)])
def test_marathons_are_predicted_as_badly_as_in_the_world(found, name, published):
    assert found.marathons > 900
    assert getattr(found, name) == pytest.approx(published, rel=0.15)


def test_half_of_the_runners_are_ten_minutes_slower_than_the_formula_says(found):
    assert found.ten_minutes_slower == pytest.approx(0.5, abs=0.05)


def test_nobody_can_be_better_than_the_noise_floor():
    floors = noise_floor(replace(SOME, athletes=300))
    assert [floor.metres for floor in floors] == [5_000, 10_000, 21_098, 42_195]
    for floor in floors:
        assert 0 < floor.mae < floor.rmse < floor.mean_minutes / 15
        assert floor.races > 100
    # What the gates are made of: see docs/athlete.md, which has the figures of all 2,000 athletes.
    assert floors[1].mae == pytest.approx(0.90, rel=0.1)
    assert floors[3].mae == pytest.approx(7.63, rel=0.1)
