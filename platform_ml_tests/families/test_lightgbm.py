import pytest

from platform_ml.families import LightGBM, lightgbm
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.space import Between, Whole
from platform_ml.testing.learners import (
    BinaryLearnerContract,
    MulticlassLearnerContract,
    NumberLearnerContract,
    RankingLearnerContract,
)

PARAMS = {
    "num_leaves": 15,
    "learning_rate": 0.15,
    "min_child_samples": 10,
    "subsample": 0.8,
    "colsample_bytree": 0.8,
    "reg_lambda": 1.0,
    "reg_alpha": 0.1,
    "max_bin": 64,
    "max_rounds": 60,
    "early_stopping_rounds": 10,
}


class Both:
    module = lightgbm
    library = "lightgbm"
    params = PARAMS

    @pytest.fixture
    def family(self):
        return LightGBM()


class TestLightGBM(Both, BinaryLearnerContract):
    """Of a binary label."""


class TestLightGBMOfNumbers(Both, NumberLearnerContract):
    """Of a number."""


class TestLightGBMOfClasses(Both, MulticlassLearnerContract):
    """Of several classes."""


class TestLightGBMOfRankings(Both, RankingLearnerContract):
    """Of a relevance within groups."""


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("num_leaves", 1),
        ("learning_rate", 0),
        ("learning_rate", Between(0.0, 0.3)),
        ("subsample", 1.5),
        ("min_child_samples", Whole(0, 3)),
        ("loss", "hinge"),
    ],
)
def test_values_out_of_bounds_are_refused(field, value):
    with pytest.raises(DeclarationError, match=f"LightGBM: {field}"):
        LightGBM(**{field: value})
