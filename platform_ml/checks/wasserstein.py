"""Drift of a number by how far values have to be moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.checks.distances import spread, wasserstein
from platform_ml.checks.drift import Drift

if TYPE_CHECKING:
    from platform_ml.checks.distances import Weighted


@dataclass(frozen=True)
class Wasserstein(Drift):
    """How far values were moved on average, in standard deviations of the reference."""

    prefix: ClassVar[str] = "wasserstein"
    title: ClassVar[str] = "Wasserstein distance (in standard deviations)"

    def measure(self, before: Weighted, after: Weighted) -> tuple[float, float]:
        """The distance, and a bound of its quantile under no drift; any move of a constant is infinitely far."""
        unit = spread(before)
        area, chance = wasserstein(before, after)
        if not unit:
            return (float("inf") if area else 0.0), 0.0
        return area / unit, chance / unit
