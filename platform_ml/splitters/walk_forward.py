"""Folds that repeat what happens in use: learn up to a day, be judged on the days after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.window import moment
from platform_ml.splitters.k_folds import check_number

if TYPE_CHECKING:
    from datetime import date

    from platform_ml.spec.splitter import RowSQL


@dataclass(frozen=True, kw_only=True)
class FoldWindow:
    """The moments of one fold."""

    train_until: datetime
    """Training rows have event_time <= this."""
    validation_after: datetime
    """Validation rows have event_time > this, ..."""
    validation_until: datetime
    """... and <= this, and before the test period."""


@dataclass(frozen=True, kw_only=True)
class WalkForward:
    """Validation periods of equal length, one after the other; each fold learns from all that is older by the gap.

    The window expands: every fold begins with the oldest row. The last validation period ends gap and embargo before
    the test period begins. Within a fold nothing is later than what it is judged on, so there the gap alone holds
    (López de Prado 2018, 7.4.1) and the embargo (7.4.2) applies once, between the last fold and the test rows.
    """

    number: int
    validation_days: int
    test_days: int = 1
    """The days that end with the cutoff's and belong to no fold."""
    embargo_days: int = 0
    """Days beyond the gap between the last validation row and the first test row."""
    by_time: ClassVar[bool] = True
    separates_entities: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_periods(type(self).__name__, self.number, self.validation_days, self.test_days, self.embargo_days)

    def ends(self, fold: int, gap_days: int) -> tuple[int, int, int]:
        """Days before the cutoff: where training ends, and where validation begins and ends."""
        last = self.test_days - 1 + gap_days + self.embargo_days
        end = last + (self.number - 1 - fold) * self.validation_days
        return end + self.validation_days + gap_days, end + self.validation_days, end

    def windows(self, cutoff: date, *, gap_days: int) -> tuple[FoldWindow, ...]:
        """The moments of every fold, the oldest first."""
        days = [[moment(cutoff) - timedelta(days=n) for n in self.ends(k, gap_days)] for k in range(self.number)]
        return tuple(FoldWindow(train_until=a, validation_after=b, validation_until=c) for a, b, c in days)

    def sql(self, row: RowSQL, *, fold: int, gap_days: int) -> str:
        """One column: the fold's period is for validation, what is older by the gap is for training."""
        train, start, end = (f"{row.cutoff} - INTERVAL {days} DAY" for days in self.ends(fold, gap_days))
        return (
            f"CASE WHEN {row.event_time} >= {row.cutoff} - INTERVAL {self.test_days - 1} DAY THEN NULL "
            f"WHEN {row.event_time} <= {train} THEN 'train' "
            f"WHEN {row.event_time} > {start} AND {row.event_time} <= {end} THEN 'validation' END"
        )

    def says(self, gap_days: int) -> str:
        """The rule as a sentence."""
        return (
            f"{self.number} validation periods of {self.validation_days} days follow each other up to "
            f"{gap_days + self.embargo_days} days before the test rows; each fold learns from all that is at least "
            f"{gap_days} days older."
        )


def check_periods(where: str, number: int, validation_days: int, test_days: int, embargo_days: int) -> None:
    """Refuse folds without a validation or test period, and a negative embargo."""
    check_number(where, number)
    for name, value, least in (
        ("validation_days", validation_days, 1),
        ("test_days", test_days, 1),
        ("embargo_days", embargo_days, 0),
    ):
        if value < least:
            raise DeclarationError(f"{where}: {name} is {value}. Use {least} or more.")
