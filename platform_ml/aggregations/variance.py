"""How much it varies, squared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform_ml.spec.aggregation import AggregationOf
from platform_ml.spec.schema import squared

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.spec.aggregation import Segments


@dataclass(frozen=True, kw_only=True)
class Variance(AggregationOf):
    """The sample variance of a column (n - 1); null with fewer than two events that know it."""

    @property
    def name(self) -> str:
        """delay_var."""
        return f"{self.of}_var"

    @property
    def meaning(self) -> str:
        """The beginning of a sentence."""
        return f"Variance of {self.of}"

    def defined(self, events: Segments) -> NDArray[np.bool_]:
        """From two events on."""
        found: NDArray[np.bool_] = events.counts > 1
        return found

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """The square of the column's unit."""
        return squared(units.get(self.of))

    def compute(self, events: Segments) -> NDArray[Any]:
        """Two passes, so that large values with small differences lose no digits."""
        import numpy as np

        values = events.values.astype(np.float64) / events.scale
        mean = events.add(values) / np.maximum(events.counts, 1)
        squares = events.add((values - events.spread(mean)) ** 2)
        found: NDArray[Any] = squares / np.maximum(events.counts - 1, 1)
        return found
