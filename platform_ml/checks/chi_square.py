"""Drift of a category by Pearson's test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.checks.distances import categories, cramer, cramer_by_chance, size
from platform_ml.checks.drift import Drift

if TYPE_CHECKING:
    from platform_ml.checks.distances import Weighted


@dataclass(frozen=True)
class ChiSquare(Drift):
    """Cramer's V between partition and value: 0 when the values do not say which side they are from, at most 1."""

    prefix: ClassVar[str] = "chi_square"
    title: ClassVar[str] = "Cramer's V"
    numbers: ClassVar[bool] = False

    def measure(self, before: Weighted, after: Weighted) -> tuple[float, float]:
        """V, and its quantile under no drift."""
        pairs = categories(before, after)
        return cramer(pairs), cramer_by_chance(size(before), size(after), len(pairs))
