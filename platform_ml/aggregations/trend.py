"""Whether it grows or shrinks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from platform_ml.spec.aggregation import AggregationOf
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.window import short

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.spec.aggregation import Segments


@dataclass(frozen=True, kw_only=True)
class Trend(AggregationOf):
    """The least-squares slope of a column over the times of its events, per `per`; null with fewer than two moments.

    slope = sum((t - mean(t)) * (x - mean(x))) / sum((t - mean(t)) ** 2), with t the time of an event.
    """

    per: timedelta = timedelta(days=1)

    def __post_init__(self) -> None:
        if self.per <= timedelta(0):
            raise DeclarationError(f"Trend: a slope per {self.per} is none. Use more than zero.")

    @property
    def name(self) -> str:
        """delay_trend_per_1h."""
        return f"{self.of}_trend_per_{short(self.per)}"

    @property
    def meaning(self) -> str:
        """The beginning of a sentence."""
        return f"Slope of {self.of} per {short(self.per)}"

    def defined(self, events: Segments) -> NDArray[np.bool_]:
        """From two moments on."""
        found: NDArray[np.bool_] = events.most(events.seconds) > events.least(events.seconds)
        return found

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """The column's unit per time."""
        return f"{units[self.of]}/{short(self.per)}" if self.of in units else None

    def compute(self, events: Segments) -> NDArray[Any]:
        """By deviations from the means of each row."""
        import numpy as np

        counts = np.maximum(events.counts, 1)
        time: NDArray[np.float64] = -events.seconds / self.per.total_seconds()
        time = time - events.spread(events.add(time) / counts)
        values: NDArray[np.float64] = events.values.astype(np.float64) / events.scale
        values = values - events.spread(events.add(values) / counts)
        squares = events.add(time**2)
        return events.add(time * values) / np.where(self.defined(events), squares, 1)
