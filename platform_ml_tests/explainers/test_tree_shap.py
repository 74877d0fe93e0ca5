import pytest

from platform_ml.explainers import TreeShap
from platform_ml.families import CatBoost, LightGBM, RandomForest, XGBoost
from platform_ml.testing.explainers import ExplainerContract

BOOSTED = {"learning_rate": 0.3, "max_rounds": 15, "subsample": 1.0}
REGULAR = {"colsample_bytree": 1.0, "reg_lambda": 1.0, "reg_alpha": 0.001}


class TestOfXGBoost(ExplainerContract):
    @pytest.fixture
    def explainer(self):
        return TreeShap()

    @pytest.fixture
    def family(self):
        return XGBoost(max_depth=3, min_child_weight=1.0, **BOOSTED, **REGULAR)


class TestOfAForest(TestOfXGBoost):
    @pytest.fixture
    def family(self):
        return RandomForest(trees=8, max_depth=5, min_samples_leaf=2, max_features=1.0, max_samples=1.0)


class TestOfLightGBM(TestOfXGBoost):
    @pytest.fixture
    def family(self):
        return LightGBM(num_leaves=8, min_child_samples=5, **BOOSTED, **REGULAR)


class TestOfCatBoost(TestOfXGBoost):
    @pytest.fixture
    def family(self):
        return CatBoost(depth=3, l2_leaf_reg=1.0, random_strength=0.1, rsm=1.0, **BOOSTED)
