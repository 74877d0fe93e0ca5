"""What a feature is: a name that says it, the terms it needs, and the expression that combines them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.schema import EXACT_NUMBERS, Double, Integer
from platform_ml.spec.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from platform_ml.spec.schema import Type
    from platform_ml.spec.window import Term


class Feature:
    """A column of a feature group."""

    ages: ClassVar[bool] = False
    """Whether it is how long before the moment of a label row the row was that is found."""
    exact: ClassVar[bool] = False
    """Whether it is computed from events at the very moment of a label row."""

    @property
    def absent(self) -> bool | int | None:
        """The value where a label row finds no row of the group."""
        return None

    @property
    def name(self) -> str:
        """Derived from the meaning, so that nobody types it twice."""
        raise NotImplementedError

    @property
    def meaning(self) -> str:
        """One sentence for catalog and card."""
        raise NotImplementedError

    @property
    def lookback_days(self) -> int:
        """How many days before the moment of the row it reads; 0 for what has no window."""
        return 0

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """Its unit, where that of the columns it reads (column → unit) or its own meaning gives one."""
        return None

    def columns(self) -> tuple[str, ...]:
        """The source columns it reads."""
        return ()

    def result(self, types: Mapping[str, Type]) -> Type:
        """The type of the feature, or `DeclarationError` when a column does not fit."""
        return Double()

    def terms(self) -> tuple[Term, ...]:
        """What has to be added up over the window."""
        return ()

    def sql(self, term: Callable[[Term], str]) -> str:
        """The expression over the added-up terms and `_day`, the number of the row's day."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Rolling(Feature):
    """A feature over the `days` days that end with the day of the row."""

    days: int

    def __post_init__(self) -> None:
        if self.days < 1:
            raise DeclarationError(f"{type(self).__name__}: days is {self.days}, a window has at least 1 day.")

    @classmethod
    def over(cls, *days: int, **of: str) -> tuple[Self, ...]:
        """The same feature over several windows."""
        return tuple(cls(days=n, **of) for n in days)

    @property
    def lookback_days(self) -> int:
        """The length of the window."""
        return self.days


@dataclass(frozen=True, kw_only=True)
class RollingOf(Rolling):
    """A rolling feature of one column."""

    of: str

    def columns(self) -> tuple[str, ...]:
        """The column it adds up."""
        return (self.of,)


@dataclass(frozen=True, kw_only=True)
class RollingNumber(RollingOf):
    """A rolling feature of one exact number."""

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """The column's unit."""
        return units.get(self.of)

    def result(self, types: Mapping[str, Type]) -> Type:
        """A double; refuses columns whose sums would depend on the order of the rows."""
        for column in self.columns():
            if not isinstance(types[column], EXACT_NUMBERS):
                raise DeclarationError(
                    f"{type(self).__name__} of {column!r}: the column is {types[column].sql}, whose sums differ from "
                    "run to run. Declare it as Decimal(precision, scale) or Integer."
                )
        return Double()

    @property
    def known(self) -> str:
        """SQL that is 1 where the column is known."""
        return f"CAST({identifier(self.of)} IS NOT NULL AS INTEGER)"


class Counting(Feature):
    """A feature that counts."""

    def result(self, types: Mapping[str, Type]) -> Type:
        """A whole number."""
        return Integer()
