"""Columns: their type, unit, meaning and the values that may occur."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.fingerprint import ADDED, PROSE
from platform_ml.spec.naming import check_name

DIGITS = 18
"""What DuckDB and Parquet keep in 64 bits."""


class Type(Protocol):
    """How a column is stored."""

    @property
    def sql(self) -> str:
        """The DuckDB type."""
        ...


@dataclass(frozen=True)
class Integer:
    """A whole number of 64 bits."""

    sql: ClassVar[str] = "BIGINT"


@dataclass(frozen=True)
class Decimal:
    """An exact number with `scale` digits after the point: the only fractions whose sums are the same on every run."""

    precision: int
    scale: int

    def __post_init__(self) -> None:
        if not (0 <= self.scale <= self.precision and 1 <= self.precision <= DIGITS):
            raise DeclarationError(
                f"Decimal({self.precision}, {self.scale}): needs 0 <= scale <= precision and a precision of 1 to 18."
            )

    @property
    def sql(self) -> str:
        """The DuckDB type."""
        return f"DECIMAL({self.precision},{self.scale})"


@dataclass(frozen=True)
class Double:
    """A floating-point number of 64 bits."""

    sql: ClassVar[str] = "DOUBLE"


@dataclass(frozen=True)
class Text:
    """Unicode text."""

    sql: ClassVar[str] = "VARCHAR"


@dataclass(frozen=True)
class Boolean:
    """True or false."""

    sql: ClassVar[str] = "BOOLEAN"


@dataclass(frozen=True)
class Timestamp:
    """A moment, kept in UTC microseconds; a delivered time without zone is read as UTC."""

    sql: ClassVar[str] = "TIMESTAMPTZ"


@dataclass(frozen=True)
class Doubles:
    """A list of floating-point numbers, some of which may be null: a sequence, or the pixels of an image."""

    sql: ClassVar[str] = "DOUBLE[]"


NUMBERS = (Integer, Decimal, Double)
EXACT_NUMBERS = (Integer, Decimal)


@dataclass(frozen=True)
class Column:
    """One column of a source, and what a row must obey to be let in."""

    name: str
    type: Type
    description: str = field(default="", metadata=PROSE, kw_only=True)
    unit: str | None = field(default=None, kw_only=True)
    nullable: bool = field(default=False, kw_only=True)
    minimum: float | None = field(default=None, kw_only=True)
    maximum: float | None = field(default=None, kw_only=True)
    allowed: tuple[str, ...] | None = field(default=None, kw_only=True)
    known_at: str | None = field(default=None, kw_only=True, metadata=ADDED)
    """The column with the moment from which on the value is known; None: when the event is announced."""

    def __post_init__(self) -> None:
        check_name("Column", self.name)
        if isinstance(self.type, Doubles):
            raise DeclarationError(
                f"Column {self.name!r} is {self.type.sql}: a source delivers single values. Make the list of them by "
                "a derived column, Derived(sql='[a, b]', type=Doubles()), or by an EventSequence."
            )
        ranged = self.minimum is not None or self.maximum is not None
        if ranged and not isinstance(self.type, NUMBERS):
            raise DeclarationError(f"Column {self.name!r} is {self.type.sql}: minimum and maximum are for numbers.")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise DeclarationError(f"Column {self.name!r}: minimum {self.minimum} is above maximum {self.maximum}.")
        if not all(math.isfinite(bound) for bound in (self.minimum, self.maximum) if bound is not None):
            raise DeclarationError(f"Column {self.name!r}: minimum and maximum are finite. Drop the one that is not.")
        if self.allowed is not None and not isinstance(self.type, Text):
            raise DeclarationError(f"Column {self.name!r} is {self.type.sql}: allowed values are for Text.")
        if self.allowed is not None and not self.allowed:
            raise DeclarationError(f"Column {self.name!r}: no value is allowed. Name some, or drop allowed.")


def squared(unit: str | None) -> str | None:
    """The unit of a square.

    >>> squared("USD"), squared("km/h"), squared(None)
    ('USD²', '(km/h)²', None)
    """
    return unit and (f"{unit}²" if unit.isalpha() else f"({unit})²")


def check_same_type(where: str, column: str, here: Type, other: str, there: Type) -> None:
    """Refuse to join on columns of different types."""
    if here != there:
        raise DeclarationError(
            f"{where}: {column!r} is {here.sql} here and {there.sql} in {other!r}. Declare them alike to join them."
        )
