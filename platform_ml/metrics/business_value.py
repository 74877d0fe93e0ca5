"""What decisions at a threshold are worth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.metrics.selection import AtThreshold, share
from platform_ml.spec.errors import DeclarationError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.metrics.selection import Counts


@dataclass(frozen=True, kw_only=True)
class BusinessValue(AtThreshold):
    """What selecting rows from `threshold` on is worth, per row; a cost is a value below 0.

    The expected value of a decision: Elkan (2001), The foundations of cost-sensitive learning. With probabilities that
    are right the best threshold is (tn - fp) / (tn - fp + tp - fn), in the values of the four kinds of rows.
    """

    of_true_positive: float
    of_false_positive: float
    of_false_negative: float = 0.0
    of_true_negative: float = 0.0
    currency: str = ""
    """What the values are in: EUR, minutes, points."""

    kind: ClassVar[str] = "business_value"
    heading: ClassVar[str] = "Business value"

    def __post_init__(self) -> None:
        super().__post_init__()
        if broken := [value for value in self.values if not math.isfinite(value)]:
            raise DeclarationError(f"BusinessValue: {broken[0]} is no value.")
        if self.of_true_positive <= self.of_false_negative or self.of_true_negative <= self.of_false_positive:
            raise DeclarationError(
                "BusinessValue: a wrong decision is worth as much as the right one, or more, so a better model would "
                "not be better. A true positive must be worth more than a false negative, a true negative more than "
                "a false positive; costs are below 0."
            )

    @property
    def values(self) -> tuple[float, float, float, float]:
        """Of true and false positives, false and true negatives."""
        return self.of_true_positive, self.of_false_positive, self.of_false_negative, self.of_true_negative

    @property
    def unit(self) -> str:
        """EUR per row."""
        return f"{self.currency} per row".strip()

    @property
    def meaning(self) -> str:
        hit, alarm, missed, rest = (f"{value:g}" for value in self.values)
        return (
            f"Mean worth of a row: {{selected}} {hit} where it is true and {alarm} where it is false, not selected "
            f"{missed} where it is true and {rest} where it is false."
        )

    def of_counts(self, counts: Counts) -> NDArray[np.float64]:
        hits, alarms = counts.true_positives, counts.false_positives
        missed, rest = counts.false_negatives, counts.true_negatives
        of_hit, of_alarm, of_missed, of_rest = self.values
        worth = of_hit * hits + of_alarm * alarms + of_missed * missed + of_rest * rest
        return share(worth, hits + alarms + missed + rest)
