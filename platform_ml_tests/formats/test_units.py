from fractions import Fraction

import pytest
from scipy import constants

from platform_ml.formats.units import factor
from platform_ml.spec.errors import DeclarationError


@pytest.mark.parametrize(
    ("unit", "into", "expected"),
    [
        ("mi", "m", constants.mile),
        ("ft", "m", constants.foot),
        ("yd", "km", constants.yard / 1_000),
        ("lb", "kg", constants.lb),
        ("mph", "m/s", constants.mph),
        ("km/h", "m/s", constants.kmh),
        ("d", "h", 24),
        ("h:mm:ss", "min", 1 / 60),
        ("bpm", "1/min", 1),
    ],
)
def test_factors_are_those_of_scipy(unit, into, expected):
    assert float(factor("Here", unit, into)) == pytest.approx(expected, rel=1e-15)


def test_factors_are_exact():
    assert factor("Here", "mi", "ft") == 5_280
    assert factor("Here", "km/h", "m/s") == Fraction(5, 18)


@pytest.mark.parametrize(
    ("unit", "into", "message"),
    [
        ("kms", "m", r"Here: unit 'kms' is not known\. Did you mean 'km'\? Known: m, km, cm, mi, yd, ft\."),
        ("km", "meters", "Here: unit 'meters' is not known"),
        ("km", "s", r"Here: 'km' cannot be told in 's'\. Declare units of the same quantity"),
        ("h:mm:ss", "m", "Here: 'h:mm:ss' cannot be told in 'm'"),
        ("minutes", "s", "Here: unit 'minutes' is not known.*Known: s, ms, min, h, d, h:mm:ss"),
        ("min", "h:mm:ss", "Here: unit 'h:mm:ss' is not known"),
    ],
)
def test_what_is_no_unit_is_refused(unit, into, message):
    with pytest.raises(DeclarationError, match=message):
        factor("Here", unit, into)
