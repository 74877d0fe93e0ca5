"""Folds that learn from both sides of a held-out period."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.splitters.walk_forward import WalkForward, check_periods

if TYPE_CHECKING:
    from platform_ml.spec.splitter import RowSQL


@dataclass(frozen=True, kw_only=True)
class PurgedFolds:
    """K folds over time with purging and embargo (López de Prado, Advances in Financial Machine Learning, 2018, 7.4).

    A fold is judged on one period. It learns from rows at least a gap older than the period (7.4.1: their outcomes are
    known when it begins) and from rows at least gap and embargo later than its last row (7.4.1 purges where outcomes
    overlap, 7.4.2 adds the embargo). The last period ends gap and embargo before the test rows. Later rows to learn
    from do not exist in use: take WalkForward where there are enough rows.
    """

    number: int
    validation_days: int
    test_days: int = 1
    """The days that end with the cutoff's and belong to no fold."""
    embargo_days: int = 0
    """Days beyond the gap between the last row of a held-out period and the next row that is learned from."""
    by_time: ClassVar[bool] = False
    separates_entities: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_periods(type(self).__name__, self.number, self.validation_days, self.test_days, self.embargo_days)

    def sql(self, row: RowSQL, *, fold: int, gap_days: int) -> str:
        """One column: the fold's period is for validation, what is far enough before and after is for training."""
        walk = WalkForward(
            number=self.number,
            validation_days=self.validation_days,
            test_days=self.test_days,
            embargo_days=self.embargo_days,
        )
        last = walk.ends(self.number - 1, gap_days)[2]
        end = walk.ends(fold, gap_days)[2]
        # Days before the cutoff; a fold whose purge reaches past the last row simply has no later rows.
        later = end - gap_days - self.embargo_days
        time = row.event_time
        return (
            f"coalesce({walk.sql(row, fold=fold, gap_days=gap_days)}, "
            f"CASE WHEN {time} > {row.cutoff} - INTERVAL {end} DAY "
            f"AND {time} >= {row.cutoff} - INTERVAL ({later}) DAY "
            f"AND {time} <= {row.cutoff} - INTERVAL {last} DAY "
            f"AND {time} < {row.cutoff} - INTERVAL {self.test_days - 1} DAY THEN 'train' END)"
        )

    def says(self, gap_days: int) -> str:
        """The rule as a sentence."""
        return (
            f"{self.number} periods of {self.validation_days} days are held out in turn; each fold learns from all "
            f"that is at least {gap_days} days older or {gap_days + self.embargo_days} days later."
        )
