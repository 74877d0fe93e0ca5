"""SHAP values of weighted sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from platform_ml.explainers.own import Own
from platform_ml.spec.attribution import LINEAR_SHAP


@dataclass(frozen=True, kw_only=True)
class LinearShap(Own):
    """Weight times distance from the mean training row (Lundberg and Lee 2017, corollary 1)."""

    name: ClassVar[str] = LINEAR_SHAP

    @property
    def rule(self) -> str:
        """As a sentence."""
        return "Exact SHAP values of a weighted sum: weight times distance from the mean training row."
