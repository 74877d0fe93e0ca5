"""What splitters by hash have in common: a hash that is the same everywhere and forever, and exact shares of it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar, Self

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.sql import literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.spec.splitter import RowSQL

DIGITS = 15
"""Hexadecimal digits of the sha256 that are used: what fits into a signed integer of 64 bits."""
VALUES = 16**DIGITS


def stable_hash(salt: str, columns: Sequence[str]) -> str:
    """SQL for a number in [0, 2^60) made of a salt and the values of some columns.

    It is the head of the sha256 of the values as text, each behind its length in bytes, so that (1, '11') and
    (11, '1') differ and a null differs from every text. DuckDB's own hash() may change with its version; this cannot.
    """
    parts = [f"coalesce(strlen({c}::VARCHAR) || ':' || {c}::VARCHAR, 'null')" for c in columns]
    text = " || ',' || ".join([literal(f"{len(salt.encode())}:{salt}"), *parts])
    return f"('0x' || substr(sha256({text}), 1, {DIGITS}))::BIGINT"


def thresholds(shares: Sequence[float]) -> list[int]:
    """Where each share but the last ends in [0, 2^60); the shares are taken as the decimals that they are written as.

    >>> [format(end, "015x") for end in thresholds((0.5, 0.25, 0.25))]
    ['800000000000000', 'c00000000000000']
    """
    exact = [Fraction(repr(float(share))) for share in shares]
    return [int(VALUES * sum(exact[: n + 1])) for n in range(len(exact) - 1)]


def before_the_end(row: RowSQL) -> str:
    """SQL that is true for rows up to the end of the cutoff's day."""
    return f"{row.event_time} < {row.cutoff} + INTERVAL 1 DAY"


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Shares of the three splits, in expectation: counts vary as those of independent draws do."""

    train: float = 0.70
    validation: float = 0.15
    test: float = 0.15
    seed: int = 0
    """Another seed draws another split."""
    gap_days: ClassVar[int | None] = None
    by_time: ClassVar[bool] = False
    separates_entities: ClassVar[bool] = False

    def __post_init__(self) -> None:
        where = type(self).__name__
        shares = {"train": self.train, "validation": self.validation, "test": self.test}
        for name, share in shares.items():
            if not 0 < share < 1:
                raise DeclarationError(f"{where}: the share of {name} is {share}. Use more than 0 and less than 1.")
        if abs(total := sum(shares.values()) - 1) > 1e-9:  # noqa: PLR2004 - thirds do not add up to the last digit
            raise DeclarationError(f"{where}: the shares add up to {1 + total:.6g}. Make it 1.")

    def span_days(self, gap_days: int) -> int:
        """There is no gap."""
        return 0

    def over(self, days: int) -> Self:
        """Itself: test rows are a share of all days."""
        return self

    def split_sql(self, columns: Sequence[str], row: RowSQL) -> str:
        """The column of a split that is drawn once for each value of the columns."""
        first, second = thresholds((self.train, self.validation, self.test))
        drawn = stable_hash(f"{type(self).__name__} {self.seed}", columns)
        return (
            f"CASE WHEN {before_the_end(row)} THEN CASE WHEN {drawn} < {first} THEN 'train' "
            f"WHEN {drawn} < {second} THEN 'validation' ELSE 'test' END END"
        )

    def percent(self) -> str:
        """The shares as text."""
        return f"{self.train:.3g} train, {self.validation:.3g} validation, {self.test:.3g} test"
