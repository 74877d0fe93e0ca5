"""Distance from the median, measured in median distances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError

if TYPE_CHECKING:
    from collections.abc import Sequence

NORMAL = 0.6745
"""The median absolute deviation of a normal distribution with a standard deviation of 1."""


@dataclass(frozen=True)
class MedianDeviation:
    """Usual is a modified z-score of at most `z`: 0.6745 * |x - median| / MAD, MAD the median of |x - median|.

    Boris Iglewicz and David Hoaglin, How to Detect and Handle Outliers (1993), who propose 3.5. Where more than half
    of the values are one value, there is no spread.
    """

    z: float = 3.5

    def __post_init__(self) -> None:
        if not 0 < self.z < float("inf"):
            raise DeclarationError(f"MedianDeviation: a z-score of {self.z} bounds nothing. Use more than 0, like 3.5.")

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        return f"Usual is a modified z-score (distance from the median over the median distance) of at most {self.z:g}."

    def summary(self, value: str) -> str:
        """Median and median absolute deviation."""
        return f"[median({value}), mad({value})]"

    def limits(self, summary: Sequence[float]) -> tuple[float, float] | None:
        """As far from the median on both sides."""
        middle, deviation = summary
        reach = self.z * deviation / NORMAL
        return (middle - reach, middle + reach) if deviation > 0 else None
