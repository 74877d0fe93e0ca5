"""Drift of a category by information."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.checks.distances import categories, jensen_shannon, jensen_shannon_by_chance, size
from platform_ml.checks.drift import Drift

if TYPE_CHECKING:
    from platform_ml.checks.distances import Weighted


@dataclass(frozen=True)
class JensenShannon(Drift):
    """The distance of Jensen and Shannon between the shares of the values; 0 is the same, 1 no value in common."""

    prefix: ClassVar[str] = "jensen_shannon"
    title: ClassVar[str] = "Jensen-Shannon distance"
    numbers: ClassVar[bool] = False

    def measure(self, before: Weighted, after: Weighted) -> tuple[float, float]:
        """The distance, and its quantile under no drift."""
        pairs = categories(before, after)
        return jensen_shannon(pairs), jensen_shannon_by_chance(size(before), size(after), len(pairs))
