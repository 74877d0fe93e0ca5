from dataclasses import replace

import pytest

from platform_ml.spec.energy import Energy
from platform_ml.spec.errors import DeclarationError

ENERGY = Energy(watts_per_core=10.0, grams_per_kwh=400.0, source="A meter, 2024", overhead=1.5, location="AT")


def test_the_estimate_is_the_formula_with_its_inputs_beside():
    said = ENERGY.estimate(3_600.0)
    assert said["kwh"] == pytest.approx(0.015)  # an hour of 10 W, half as much again for the building
    assert said["grams_co2eq"] == pytest.approx(6.0)
    inputs = ("cpu_seconds", "watts_per_core", "overhead", "grams_per_kwh", "source", "location")
    assert [said[name] for name in inputs] == [3_600.0, 10.0, 1.5, 400.0, "A meter, 2024", "AT"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"watts_per_core": 0.0}, "watts_per_core is 0.0"),
        ({"watts_per_core": float("nan")}, "watts_per_core is nan"),
        ({"grams_per_kwh": -1.0}, "grams_per_kwh is -1.0. Use a number of 0 or more"),
        ({"overhead": 0.9}, "overhead is 0.9. Use a number of 1 or more"),
        ({"source": " - "}, "source is empty"),
    ],
)
def test_numbers_that_cannot_be_are_refused(change, says):
    with pytest.raises(DeclarationError, match=says):
        replace(ENERGY, **change)
