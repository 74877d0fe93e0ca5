"""Drift of a number by the greatest distance of distribution functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.checks.distances import size, smirnov, smirnov_by_chance
from platform_ml.checks.drift import Drift

if TYPE_CHECKING:
    from platform_ml.checks.distances import Weighted


@dataclass(frozen=True)
class KolmogorovSmirnov(Drift):
    """The greatest difference between the shares of values up to any number; from 0 to 1."""

    prefix: ClassVar[str] = "ks"
    title: ClassVar[str] = "Kolmogorov-Smirnov distance"

    def measure(self, before: Weighted, after: Weighted) -> tuple[float, float]:
        """The distance, and its quantile under no drift."""
        return smirnov(before, after), smirnov_by_chance(size(before), size(after))
