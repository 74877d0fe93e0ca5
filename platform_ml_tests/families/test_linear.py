import pytest

from platform_ml.families import Linear, linear
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.space import Between
from platform_ml.testing.learners import BinaryLearnerContract, MulticlassLearnerContract, NumberLearnerContract

PARAMS = {
    "penalty": 0.01,
    "l1_share": 0.0,
    "max_levels": 50,
    "max_steps": 1_000,
}


class Both:
    module = linear
    params = PARAMS

    @pytest.fixture
    def family(self):
        return Linear()


class TestLinear(Both, BinaryLearnerContract):
    """Of a binary label."""

    learns = 0.79
    learns_categories = 0.86


class TestLinearOfNumbers(Both, NumberLearnerContract):
    """Of a number."""

    learns = 0.88
    learns_categories = 0.98


class TestLinearOfClasses(Both, MulticlassLearnerContract):
    """Of several classes."""

    learns = 0.94


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("penalty", 0.0),
        ("penalty", Between(-1.0, 1.0)),
        ("l1_share", 1.1),
        ("max_levels", 0),
    ],
)
def test_values_out_of_bounds_are_refused(field, value):
    with pytest.raises(DeclarationError, match=f"Linear: {field}"):
        Linear(**{field: value})
