"""How much on average, the latest events first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from platform_ml.spec.aggregation import AggregationOf
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.window import short

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from platform_ml.spec.aggregation import Segments


@dataclass(frozen=True, kw_only=True)
class DecayedMean(AggregationOf):
    """The mean of a column in which an event weighs half as much for every `half_life` that has passed since.

    With a the age of an event: sum(2 ** (-a / half_life) * x) / sum(2 ** (-a / half_life)).
    """

    half_life: timedelta

    def __post_init__(self) -> None:
        if self.half_life <= timedelta(0):
            raise DeclarationError(f"DecayedMean: a half-life of {self.half_life} weighs nothing. Use more than zero.")

    @property
    def name(self) -> str:
        """delay_decayed_2h."""
        return f"{self.of}_decayed_{short(self.half_life)}"

    @property
    def meaning(self) -> str:
        """The beginning of a sentence."""
        return f"Mean {self.of}, halved in weight every {short(self.half_life)},"

    def compute(self, events: Segments) -> NDArray[Any]:
        """Ages count from the youngest event of each row: the weights of old events alone would vanish."""
        import numpy as np

        age = events.seconds - events.spread(events.least(events.seconds))
        weight = np.exp2(-age / self.half_life.total_seconds())
        weights = np.where(events.counts > 0, events.add(weight), 1)
        return events.add(weight * events.values) / (weights * events.scale)
