from dataclasses import dataclass

import pytest

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.space import Between, Whole, ranges


@dataclass(frozen=True)
class Forest:
    """Two ranges and two plain values."""

    depth: object = Whole(2, 8)
    rate: object = Between(0.01, 0.3, log=True)
    trees: int = 100
    kind: str = "gini"


def test_what_is_searched_is_what_is_a_range():
    assert ranges(Forest()) == {"depth": Whole(2, 8), "rate": Between(0.01, 0.3, log=True)}
    assert ranges(Forest(depth=3)) == {"rate": Between(0.01, 0.3, log=True)}
    assert ranges(Forest(depth=3, rate=0.1)) == {}


@pytest.mark.parametrize("kind", [Whole, Between])
@pytest.mark.parametrize(("low", "high"), [(2, 2), (3, 2), (float("nan"), 1), (0, float("nan"))])
def test_a_range_that_is_none(kind, low, high):
    what = rf"{kind.__name__}\(low={low}, high={high}, log=False\): low must be below high. Use the plain value {low}"
    with pytest.raises(DeclarationError, match=what):
        kind(low, high)


@pytest.mark.parametrize("kind", [Whole, Between])
@pytest.mark.parametrize("low", [0, -1])
def test_a_logarithm_starts_above_zero(kind, low):
    with pytest.raises(DeclarationError, match="a logarithmic range starts above 0"):
        kind(low, 5, log=True)
    assert kind(low, 5).low == low
