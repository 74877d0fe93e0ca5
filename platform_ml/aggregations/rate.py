"""How often."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.spec.aggregation import Aggregation
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.window import short

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from platform_ml.spec.aggregation import Segments


@dataclass(frozen=True, kw_only=True)
class Rate(Aggregation):
    """Events per `per`, over the whole length of the window; zero without any."""

    per: timedelta = timedelta(days=1)
    needs_length: ClassVar[bool] = True
    of_nothing: ClassVar[int] = 0

    def __post_init__(self) -> None:
        if self.per <= timedelta(0):
            raise DeclarationError(f"Rate: events per {self.per} are none. Use more than zero.")

    @property
    def name(self) -> str:
        """rate_per_1h."""
        return f"rate_per_{short(self.per)}"

    @property
    def meaning(self) -> str:
        """The beginning of a sentence."""
        return f"Events per {short(self.per)}"

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """Events per time."""
        return f"events/{short(self.per)}"

    def compute(self, events: Segments) -> NDArray[Any]:
        """Count over length."""
        if events.window_seconds is None:
            raise TypeError(self)
        return events.counts * self.per.total_seconds() / events.window_seconds
