"""Drift of a number by the population stability index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.checks.distances import LEAST, bins, shares, size, stability, stability_by_chance
from platform_ml.checks.drift import Drift

if TYPE_CHECKING:
    from platform_ml.checks.distances import Weighted


@dataclass(frozen=True)
class PSI(Drift):
    """The population stability index over the deciles of the reference; 0.1 is little, 0.25 is much."""

    prefix: ClassVar[str] = "psi"
    title: ClassVar[str] = "PSI"

    def measure(self, before: Weighted, after: Weighted) -> tuple[float, float]:
        """The index, and its quantile under no drift."""
        n, m, edges = size(before), size(after), bins(before)
        found = stability(shares(before, edges), shares(after, edges), (LEAST / n, LEAST / m))
        return found, stability_by_chance(n, m, len(edges) + 1)
