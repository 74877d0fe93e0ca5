"""Mean average precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.metrics.per_query import PerQuery

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.metrics.per_query import Ranked


@dataclass(frozen=True)
class MeanAveragePrecision(PerQuery):
    """The precision at the place of each relevant row, averaged over these rows and then over groups.

    Buckley and Voorhees (2005), Retrieval system evaluation; trec_eval's map.
    """

    name: ClassVar[str] = "mean_average_precision"
    title: ClassVar[str] = "Mean average precision"
    unit: ClassVar[str] = "share"

    @property
    def meaning(self) -> str:
        return "Mean over the relevant rows of a group of the precision at their places"

    def of_groups(self, ranked: Ranked) -> NDArray[np.float64]:
        """Of a block the expected number of hits above a row, given that the row is a hit, is counted."""
        import numpy as np

        hit = (ranked.relevance > 0).astype(np.float64)
        rows, hits = ranked.block_totals(np.ones(len(hit))), ranked.block_totals(hit)
        earlier = ranked.place - ranked.before(np.ones(len(hit)))  # in the same block
        among = earlier * (hits - 1) / np.maximum(rows - 1, 1)
        expected = hits / rows * (ranked.before(hit) + 1 + among) / (ranked.place + 1)
        relevant = ranked.totals(hit)
        mean: NDArray[np.float64] = ranked.totals(expected) / np.maximum(relevant, 1)
        return mean
