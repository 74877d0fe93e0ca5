"""Learn from some entities, be judged on others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.splitters.k_folds import KFolds
from platform_ml.splitters.shares import Shares

if TYPE_CHECKING:
    from platform_ml.spec.splitter import Folds, RowSQL


@dataclass(frozen=True, kw_only=True)
class ByEntity(Shares):
    """All rows of an entity go where the hash of the entity sends them; the shares are shares of entities, not of rows.

    Rows without an entity are one entity.
    """

    separates_entities: ClassVar[bool] = True

    def sql(self, row: RowSQL, *, gap_days: int) -> str:
        """One column of shares of the hash of the entity."""
        return self.split_sql([row.entity], row)

    def says(self, gap_days: int) -> str:
        """The rule as a sentence."""
        return f"Each entity is drawn by its hash (seed {self.seed}) with all its rows: {self.percent()}."

    def folds(self, number: int) -> Folds:
        """K folds of entities."""
        return KFolds(number=number, by="entity", seed=self.seed)
