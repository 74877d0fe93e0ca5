"""Learn from the past, be judged on what came after."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Self

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.fingerprint import ADDED
from platform_ml.splitters.walk_forward import WalkForward

if TYPE_CHECKING:
    from platform_ml.spec.splitter import Folds, RowSQL


@dataclass(frozen=True, kw_only=True)
class ByTime:
    """Test on the days that end with the cutoff's, validate on the days before, train on everything older.

    Before each of the two lies a gap, and after the validation period the embargo as well.
    """

    validation_days: int
    """How many days of moments are for validation."""
    gap_days: int | None = None
    """Days between the last moment of one split and the first of the next; None: what labels and windows demand."""
    test_days: int = field(default=1, metadata=ADDED)
    """Test rows have event_time in [cutoff + 1 day - test_days, cutoff + 1 day).

    Not for a dataset with cutoffs of its own: those set it, to the days since the cutoff before.
    """
    embargo_days: int = field(default=0, metadata=ADDED)
    """Days beyond the gap that are left out after the held-out validation period, before the first test row.

    López de Prado, Advances in Financial Machine Learning (2018), 7.4.2: rows right after a held-out period depend on
    it even where no outcome overlaps. Rows before a held-out period need the gap alone (7.4.1), so training rows, all
    older, are not embargoed.
    """
    by_time: ClassVar[bool] = True
    separates_entities: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.validation_days < 1:
            raise DeclarationError(f"ByTime: validation_days is {self.validation_days}; nothing would be tuned on.")
        if self.test_days < 1:
            raise DeclarationError(f"ByTime: test_days is {self.test_days}; nothing would be judged on. Use 1 or more.")
        if self.embargo_days < 0:
            raise DeclarationError(f"ByTime: embargo_days is {self.embargo_days}. Use 0 or more.")

    def span_days(self, gap_days: int) -> int:
        """Test and validation period, the gaps before them, and the embargo."""
        return self.test_days - 1 + self.embargo_days + self.validation_days + 2 * gap_days

    def over(self, days: int) -> Self:
        """The same rule, tested on so many days."""
        if self.test_days != 1:
            raise DeclarationError(
                f"ByTime: test_days is {self.test_days}, but a dataset with cutoffs of its own tests on what came "
                "since the cutoff before. Drop one of the two."
            )
        return replace(self, test_days=days)

    def sql(self, row: RowSQL, *, gap_days: int) -> str:
        """One column: later moments are for later splits, moments in a gap are for none."""
        time, cutoff = row.event_time, row.cutoff
        held_out = self.test_days - 1 + gap_days + self.embargo_days
        return (
            f"CASE WHEN {time} >= {cutoff} - INTERVAL {self.test_days - 1} DAY "
            f"THEN CASE WHEN {time} < {cutoff} + INTERVAL 1 DAY THEN 'test' END "
            f"WHEN {time} > {cutoff} - INTERVAL {held_out + self.validation_days} DAY "
            f"AND {time} <= {cutoff} - INTERVAL {held_out} DAY THEN 'validation' "
            f"WHEN {time} <= {cutoff} - INTERVAL {self.span_days(gap_days)} DAY THEN 'train' END"
        )

    def says(self, gap_days: int) -> str:
        """The rule as a sentence."""
        tested = "day of the cutoff" if self.test_days == 1 else f"{self.test_days} days that end with the cutoff's"
        embargo = f" ({self.embargo_days} of them embargo)" if self.embargo_days else ""
        return (
            f"Test on the {tested}, validate on the {self.validation_days} days that end "
            f"{gap_days + self.embargo_days} days{embargo} before that, train on what lies at least {gap_days} days "
            "before those."
        )

    def folds(self, number: int) -> Folds:
        """Validation periods of the same length one before the other; the last one is the splitter's own."""
        return WalkForward(
            number=number,
            validation_days=self.validation_days,
            test_days=self.test_days,
            embargo_days=self.embargo_days,
        )
