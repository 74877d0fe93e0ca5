"""What outcomes that ask whether there is an event have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.schema import Boolean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.spec.schema import Type


@dataclass(frozen=True, kw_only=True)
class Happening:
    """True or false, by the events within the next `days` days."""

    days: int

    @property
    def horizon_days(self) -> int:
        """The days that are looked at."""
        return self.days

    def columns(self) -> tuple[str, ...]:
        """It reads none: an event is an event."""
        return ()

    def result(self, types: Mapping[str, Type]) -> Boolean:
        """True or false."""
        return Boolean()
