"""A feature under the name that its users have for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.features.combined import check_rolling
from platform_ml.spec.feature import Feature
from platform_ml.spec.naming import check_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from platform_ml.spec.schema import Type
    from platform_ml.spec.window import Term


@dataclass(frozen=True, kw_only=True)
class Named(Feature):
    """A feature with a window of days, called as the field calls it instead of by what it is made of."""

    of: Feature
    called: str

    def __post_init__(self) -> None:
        check_name("Feature", self.called)
        check_rolling(f"Named {self.called!r}", self.of)

    @property
    def name(self) -> str:
        """What it is called."""
        return self.called

    @property
    def meaning(self) -> str:
        """That of the feature."""
        return self.of.meaning

    @property
    def lookback_days(self) -> int:
        """That of the feature."""
        return self.of.lookback_days

    @property
    def absent(self) -> bool | int | None:
        """That of the feature."""
        return self.of.absent

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """The feature's unit."""
        return self.of.measured_in(units)

    def columns(self) -> tuple[str, ...]:
        """Those of the feature."""
        return self.of.columns()

    def result(self, types: Mapping[str, Type]) -> Type:
        """The feature's type."""
        return self.of.result(types)

    def terms(self) -> tuple[Term, ...]:
        """Those of the feature."""
        return self.of.terms()

    def sql(self, term: Callable[[Term], str]) -> str:
        """That of the feature."""
        return self.of.sql(term)
