"""Draw within each class of the label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.splitters.k_folds import KFolds
from platform_ml.splitters.shares import Shares

if TYPE_CHECKING:
    from platform_ml.spec.splitter import Folds, RowSQL


@dataclass(frozen=True, kw_only=True)
class Stratified(Shares):
    """Each row goes where the hash of its label and key sends it, so every class is drawn apart from the others.

    What that guarantees: of a class with n rows, n * share are in a split in expectation, with a standard deviation of
    sqrt(n * share * (1 - share)); for 1,000 rows and 15 % that is 150 +- 11. Shares that are exact in every class would
    need counts, and then one new row would move old ones; nothing that looks at one row alone can do better than this.
    A row whose label is corrected is drawn again. A label with as many values as rows makes this the same as ByHash.
    """

    def sql(self, row: RowSQL, *, gap_days: int) -> str:
        """One column of shares of the hash of label and key."""
        return self.split_sql([row.label, *row.key], row)

    def says(self, gap_days: int) -> str:
        """The rule as a sentence."""
        return f"Within each class of the label, rows are drawn by hash (seed {self.seed}): {self.percent()}."

    def folds(self, number: int) -> Folds:
        """K folds of rows, drawn within each class."""
        return KFolds(number=number, by="label", seed=self.seed)
