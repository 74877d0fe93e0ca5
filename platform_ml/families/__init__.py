"""Kinds of models: one file per family."""

from platform_ml.families.average import Average
from platform_ml.families.boosted_trees import XGBoost
from platform_ml.families.majority import Majority
from platform_ml.families.persistence import Persistence
from platform_ml.families.single_feature import SingleFeature

__all__ = ["Average", "Majority", "Persistence", "SingleFeature", "XGBoost"]
