"""Fences around the middle half of the values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Tukey:
    """Usual is from Q1 - k * (Q3 - Q1) to Q3 + k * (Q3 - Q1), with Q1 and Q3 the quartiles.

    John W. Tukey, Exploratory Data Analysis (1977), section 2D: k = 1.5 is "outside", 3 is "far out". Quartiles are
    interpolated (type 7 of Hyndman and Fan 1996). Where the middle half of the values is one value, there is no spread.
    """

    k: float = 3.0

    def __post_init__(self) -> None:
        if not 0 < self.k < float("inf"):
            raise DeclarationError(f"Tukey: fences {self.k} quartile ranges away. Use more than zero, like 1.5 or 3.")

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        return f"Usual is up to {self.k:g} times the range of the middle half away from it (Tukey)."

    def summary(self, value: str) -> str:
        """Both quartiles."""
        return f"quantile_cont({value}, [0.25, 0.75])"

    def limits(self, summary: Sequence[float]) -> tuple[float, float] | None:
        """The fences."""
        low, high = summary
        reach = self.k * (high - low)
        return (low - reach, high + reach) if high > low else None
