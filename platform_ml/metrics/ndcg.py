"""Normalised discounted cumulative gain."""

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
class NDCG(PerQuery):
    """The gain of the first `at` rows, each divided by log2(place + 1), as a share of what the best order has.

    Järvelin and Kekäläinen (2002), Cumulated gain-based evaluation of IR techniques, as trec_eval's ndcg_cut: a label
    is its own gain (not 2^label - 1), and the best order is cut at the same place.
    """

    at: int = 10

    unit: ClassVar[str] = "share"

    def __post_init__(self) -> None:
        if self.at < 1:
            raise DeclarationError(f"NDCG: at={self.at} looks at no row. Use 1 or more.")

    @property
    def name(self) -> str:
        """As trackers take it."""
        return f"ndcg_at_{self.at}"

    @property
    def title(self) -> str:
        """As it is printed."""
        return f"NDCG@{self.at}"

    @property
    def meaning(self) -> str:
        return (
            f"Labels of the first {self.at} rows of a group, each divided by log2(place + 1), as a share of what the "
            "best order has"
        )

    def of_groups(self, ranked: Ranked) -> NDArray[np.float64]:
        """A row of a block has the mean gain of the block, wherever in it it lies."""
        import numpy as np

        discount = np.where(ranked.place < self.at, 1 / np.log2(ranked.place + 2), 0)
        rows = ranked.block_totals(np.ones(len(discount)))
        found = ranked.totals(ranked.block_totals(ranked.relevance) / rows * discount)
        number = np.repeat(np.arange(len(ranked.first)), ranked.size)
        best = ranked.totals(ranked.relevance[np.lexsort((-ranked.relevance, number))] * discount)
        share: NDArray[np.float64] = np.divide(found, best, out=np.zeros_like(found), where=best > 0)
        return share
