"""How much it varies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform_ml.aggregations.variance import Variance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from platform_ml.spec.aggregation import Segments


@dataclass(frozen=True, kw_only=True)
class Deviation(Variance):
    """The sample standard deviation of a column (n - 1); null with fewer than two events that know it."""

    @property
    def name(self) -> str:
        """delay_std."""
        return f"{self.of}_std"

    @property
    def meaning(self) -> str:
        """The beginning of a sentence."""
        return f"Standard deviation of {self.of}"

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """The column's unit."""
        return units.get(self.of)

    def compute(self, events: Segments) -> NDArray[Any]:
        """The root of the variance."""
        import numpy as np

        found: NDArray[Any] = np.sqrt(super().compute(events))
        return found
