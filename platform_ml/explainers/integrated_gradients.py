"""Attributions of networks by their gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from platform_ml.explainers.own import Own
from platform_ml.spec.attribution import INTEGRATED_GRADIENTS


@dataclass(frozen=True, kw_only=True)
class IntegratedGradients(Own):
    """Gradients added up from the mean training row to the row (Sundararajan, Taly and Yan 2017)."""

    name: ClassVar[str] = INTEGRATED_GRADIENTS

    @property
    def rule(self) -> str:
        """As a sentence."""
        return "Integrated gradients: what the network's gradients add up to on the way from the mean training row."
