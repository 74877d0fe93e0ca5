"""Ways to choose features: one file per way."""

from platform_ml.selections.correlation import Correlation
from platform_ml.selections.l1 import L1
from platform_ml.selections.language_model import LanguageModel
from platform_ml.selections.mutual_information import MutualInformation
from platform_ml.selections.recursive_elimination import RecursiveElimination
from platform_ml.selections.shap_selection import ShapSelection
from platform_ml.selections.tree_gain import TreeGain

__all__ = [
    "L1",
    "Correlation",
    "LanguageModel",
    "MutualInformation",
    "RecursiveElimination",
    "ShapSelection",
    "TreeGain",
]
