import pytest

from platform_ml.families import CatBoost, catboost
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.space import Whole
from platform_ml.testing.learners import (
    BinaryLearnerContract,
    MulticlassLearnerContract,
    NumberLearnerContract,
    RankingLearnerContract,
)

PARAMS = {
    "depth": 4,
    "learning_rate": 0.2,
    "l2_leaf_reg": 3.0,
    "random_strength": 1.0,
    "subsample": 0.8,
    "rsm": 1.0,
    "border_count": 64,
    "max_rounds": 60,
    "early_stopping_rounds": 10,
}


class Both:
    module = catboost
    library = "catboost"
    params = PARAMS

    @pytest.fixture
    def family(self):
        return CatBoost()


class TestCatBoost(Both, BinaryLearnerContract):
    """Of a binary label."""


class TestCatBoostOfNumbers(Both, NumberLearnerContract):
    """Of a number."""


class TestCatBoostOfClasses(Both, MulticlassLearnerContract):
    """Of several classes."""


class TestCatBoostOfRankings(Both, RankingLearnerContract):
    """Of a relevance within groups."""


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("depth", 0),
        ("depth", Whole(4, 17)),
        ("learning_rate", 0),
        ("rsm", 0.0),
        ("border_count", 0),
        ("loss", "hinge"),
    ],
)
def test_values_out_of_bounds_are_refused(field, value):
    with pytest.raises(DeclarationError, match=f"CatBoost: {field}"):
        CatBoost(**{field: value})
