"""Recall of the first rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.metrics.per_query import PerQuery
from platform_ml.spec.errors import DeclarationError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.metrics.per_query import Ranked


@dataclass(frozen=True)
class RecallAtK(PerQuery):
    """The share of a group's relevant rows that are among its first `at`, averaged over groups: trec_eval's recall."""

    at: int = 10

    unit: ClassVar[str] = "share"

    def __post_init__(self) -> None:
        if self.at < 1:
            raise DeclarationError(f"RecallAtK: at={self.at} looks at no row. Use 1 or more.")

    @property
    def name(self) -> str:
        """As trackers take it."""
        return f"recall_at_{self.at}"

    @property
    def title(self) -> str:
        """As it is printed."""
        return f"Recall@{self.at}"

    @property
    def meaning(self) -> str:
        return f"Share of a group's relevant rows that are among its first {self.at}"

    def of_groups(self, ranked: Ranked) -> NDArray[np.float64]:
        """A row of a block is a hit as often as the rows of the block are."""
        import numpy as np

        hit = (ranked.relevance > 0).astype(np.float64)
        chance = ranked.block_totals(hit) / ranked.block_totals(np.ones(len(hit)))
        found = ranked.totals(np.where(ranked.place < self.at, chance, 0))
        share: NDArray[np.float64] = found / np.maximum(ranked.totals(hit), 1)
        return share
