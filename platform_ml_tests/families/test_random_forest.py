import pytest

from platform_ml.families import RandomForest, random_forest
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.space import Between, Whole
from platform_ml.testing.learners import BinaryLearnerContract, MulticlassLearnerContract, NumberLearnerContract

PARAMS = {
    "trees": 30,
    "max_depth": 8,
    "min_samples_leaf": 3,
    "max_features": 0.7,
    "max_samples": 0.8,
}


class Both:
    module = random_forest
    params = PARAMS
    link = False

    @pytest.fixture
    def family(self):
        return RandomForest()


class TestRandomForest(Both, BinaryLearnerContract):
    """Of a binary label."""


class TestRandomForestOfNumbers(Both, NumberLearnerContract):
    """Of a number."""


class TestRandomForestOfClasses(Both, MulticlassLearnerContract):
    """Of several classes."""


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("trees", 0),
        ("max_depth", Whole(0, 4)),
        ("max_features", 0.0),
        ("max_samples", Between(0.5, 1.5)),
    ],
)
def test_values_out_of_bounds_are_refused(field, value):
    with pytest.raises(DeclarationError, match=f"RandomForest: {field}"):
        RandomForest(**{field: value})
