"""Kinds of models: one file per family."""

from platform_ml.families.average import Average
from platform_ml.families.boosted_trees import XGBoost
from platform_ml.families.catboost import CatBoost
from platform_ml.families.convolutional import Convolutional
from platform_ml.families.k_means import KMeans
from platform_ml.families.leaving_out import LeavingOut
from platform_ml.families.lightgbm import LightGBM
from platform_ml.families.linear import Linear
from platform_ml.families.majority import Majority
from platform_ml.families.multilayer_perceptron import MultilayerPerceptron
from platform_ml.families.persistence import Persistence
from platform_ml.families.power_law import PowerLaw
from platform_ml.families.random_forest import RandomForest
from platform_ml.families.recurrent import Recurrent
from platform_ml.families.relative_to import RelativeTo
from platform_ml.families.single_feature import SingleFeature
from platform_ml.families.stacking import Stacking
from platform_ml.families.voting import Voting

__all__ = [
    "Average",
    "CatBoost",
    "Convolutional",
    "KMeans",
    "LeavingOut",
    "LightGBM",
    "Linear",
    "Majority",
    "MultilayerPerceptron",
    "Persistence",
    "PowerLaw",
    "RandomForest",
    "Recurrent",
    "RelativeTo",
    "SingleFeature",
    "Stacking",
    "Voting",
    "XGBoost",
]
