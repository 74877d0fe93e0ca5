"""Draw every row by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.splitters.k_folds import KFolds
from platform_ml.splitters.shares import Shares

if TYPE_CHECKING:
    from platform_ml.spec.splitter import Folds, RowSQL


@dataclass(frozen=True, kw_only=True)
class ByHash(Shares):
    """Each row goes where the hash of its key sends it: rows of one entity, and of one moment, are on every side."""

    def sql(self, row: RowSQL, *, gap_days: int) -> str:
        """One column of shares of the hash of the key."""
        return self.split_sql(row.key, row)

    def says(self, gap_days: int) -> str:
        """The rule as a sentence."""
        return f"Each row is drawn by the hash of its key (seed {self.seed}): {self.percent()}."

    def folds(self, number: int) -> Folds:
        """K folds of rows."""
        return KFolds(number=number, by="row", seed=self.seed)
