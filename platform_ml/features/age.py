"""How long ago the newest row was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.feature import Feature
from platform_ml.spec.naming import check_name
from platform_ml.spec.window import short

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMED = {
    timedelta(seconds=1): "seconds",
    timedelta(minutes=1): "minutes",
    timedelta(hours=1): "hours",
    timedelta(days=1): "days",
}


@dataclass(frozen=True, kw_only=True)
class Age(Feature):
    """The time between the event time of the newest row of a history and the moment, in units of `unit`."""

    unit: timedelta = timedelta(minutes=1)
    called: str | None = None
    """Another name than age_in_1m."""
    ages: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.unit <= timedelta(0):
            raise DeclarationError(f"Age: a unit of {self.unit} measures nothing. Use more than zero.")
        if self.called is not None:
            check_name("Feature", self.called)

    @property
    def name(self) -> str:
        """What it is called, or age_in_1m."""
        return self.called or f"age_in_{short(self.unit)}"

    @property
    def meaning(self) -> str:
        """One sentence for catalog and card."""
        return f"Time since the newest row, in {NAMED.get(self.unit) or f'units of {short(self.unit)}'}."

    def measured_in(self, units: Mapping[str, str]) -> str:
        """What it counts."""
        return NAMED.get(self.unit) or short(self.unit)
