"""What features of features share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.feature import Feature
from platform_ml.spec.schema import NUMBERS, Double

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.spec.schema import Type
    from platform_ml.spec.window import Term


def check_rolling(where: str, feature: Feature) -> None:
    """Refuse a feature that is not made of sums over windows of days."""
    if not feature.terms():
        raise DeclarationError(
            f"{where}: {feature.name!r} adds nothing up over days. Use features with a window of days, like Total."
        )


@dataclass(frozen=True, kw_only=True)
class Pair(Feature):
    """A number made of two others of the same row."""

    of: Feature

    @property
    def second(self) -> Feature:
        """The other one."""
        raise NotImplementedError

    def __post_init__(self) -> None:
        for feature in (self.of, self.second):
            check_rolling(type(self).__name__, feature)

    @property
    def lookback_days(self) -> int:
        """The longer window."""
        return max(self.of.lookback_days, self.second.lookback_days)

    def columns(self) -> tuple[str, ...]:
        """Those of both."""
        return tuple(dict.fromkeys([*self.of.columns(), *self.second.columns()]))

    def result(self, types: Mapping[str, Type]) -> Type:
        """A double; refuses what either refuses, and what is no number."""
        for feature in (self.of, self.second):
            if not isinstance(found := feature.result(types), NUMBERS):
                raise DeclarationError(f"{type(self).__name__}: {feature.name!r} is {found.sql}, not a number.")
        return Double()

    def terms(self) -> tuple[Term, ...]:
        """Those of both, each once."""
        return tuple(dict.fromkeys([*self.of.terms(), *self.second.terms()]))
