"""Mean reciprocal rank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.metrics.per_query import PerQuery

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.metrics.per_query import Ranked


@dataclass(frozen=True)
class MeanReciprocalRank(PerQuery):
    """One divided by the place of the first relevant row, averaged over groups.

    Voorhees (1999), The TREC-8 question answering track report; trec_eval's recip_rank.
    """

    name: ClassVar[str] = "mean_reciprocal_rank"
    title: ClassVar[str] = "Mean reciprocal rank"
    unit: ClassVar[str] = "share"

    @property
    def meaning(self) -> str:
        return "One divided by the place of the first relevant row"

    def of_groups(self, ranked: Ranked) -> NDArray[np.float64]:
        """Of the first block with hits each row is the first hit with a probability: draws without replacement."""
        import numpy as np
        from scipy.special import gammaln

        hit = (ranked.relevance > 0).astype(np.float64)
        rows, hits = ranked.block_totals(np.ones(len(hit))), ranked.block_totals(hit)
        after = rows - 1 - (ranked.place - ranked.before(np.ones(len(hit))))
        # C(after, hits - 1) / C(rows, hits) of the sets of places have their first one here.
        can = (hits > 0) & (ranked.before(hit) == 0) & (after >= hits - 1)
        n, k, m = (np.where(can, each, 0) for each in (rows, hits, after))
        sets = gammaln(m + 1) - gammaln(np.maximum(k, 1)) - gammaln(np.where(can, m - k + 2, 1))
        chance = np.where(can, np.exp(sets - gammaln(n + 1) + gammaln(k + 1) + gammaln(n - k + 1)), 0)
        mean: NDArray[np.float64] = ranked.totals(chance / (ranked.place + 1))
        return mean
