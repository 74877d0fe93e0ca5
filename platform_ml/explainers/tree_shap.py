"""SHAP values of trees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from platform_ml.explainers.own import Own
from platform_ml.spec.attribution import TREE_SHAP


@dataclass(frozen=True, kw_only=True)
class TreeShap(Own):
    """TreeSHAP (Lundberg et al. 2020), by the library that grew the trees: the same values as shap's, and faster."""

    name: ClassVar[str] = TREE_SHAP

    @property
    def rule(self) -> str:
        """As a sentence."""
        return "Exact SHAP values of the trees; a value that is not known is averaged over training rows (TreeSHAP)."
