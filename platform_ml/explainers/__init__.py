"""Ways to say which feature moved a prediction: one file per explainer."""

from platform_ml.explainers.integrated_gradients import IntegratedGradients
from platform_ml.explainers.linear_shap import LinearShap
from platform_ml.explainers.permutation_shap import PermutationShap
from platform_ml.explainers.tree_shap import TreeShap

__all__ = ["IntegratedGradients", "LinearShap", "PermutationShap", "TreeShap"]
