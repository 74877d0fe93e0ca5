"""What the metrics of rankings have in common: a number for each group, and its mean over the groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from platform_ml.spec.errors import PlatformError
from platform_ml.spec.fingerprint import ADDED
from platform_ml.spec.task import RANKING, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Groups = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """`n` rows, group by group, the greatest score first; rows of equal score in a group are a block."""

    relevance: Numbers
    first: Groups
    """(groups,) where each begins."""
    size: Groups
    """(groups,) its rows."""
    place: Groups
    """(n,) from 0 in each group."""
    block: Groups
    """(n,) the number of the block."""
    starts: Groups
    """(blocks,) the row with which it begins."""
    rows: Groups
    """(groups,) one of its rows, as they were given."""

    @classmethod
    def of(cls, relevance: Numbers, score: Numbers, group: Groups) -> Self:
        """Sort rows, of which there are some."""
        import numpy as np

        order = np.lexsort((-score, group))
        new = np.append(True, np.diff(group[order]) != 0)
        first = np.flatnonzero(new)
        size = np.diff(np.append(first, len(order)))
        starts = new | np.append(True, np.diff(score[order]) != 0)
        return cls(
            relevance=relevance[order],
            first=first,
            size=size,
            place=np.arange(len(order)) - np.repeat(first, size),
            block=np.cumsum(starts) - 1,
            starts=np.flatnonzero(starts),
            rows=order[first],
        )

    def totals(self, values: Numbers) -> Numbers:
        """(groups,) the sum over each."""
        import numpy as np

        found: Numbers = np.add.reduceat(values, self.first)
        return found

    def block_totals(self, values: Numbers) -> Numbers:
        """(n,) the sum over the row's block."""
        import numpy as np

        found: Numbers = np.add.reduceat(values, self.starts)[self.block]
        return found

    def before(self, values: Numbers) -> Numbers:
        """(n,) the sum over all rows of the row's group that are in earlier blocks."""
        import numpy as np

        running = np.cumsum(values) - values
        found: Numbers = running[self.starts][self.block] - np.repeat(running[self.first], self.size)
        return found


@dataclass(frozen=True, kw_only=True)
class PerQuery:
    """The mean over the groups that have a relevant row, one whose label is above 0.

    A group without is left out, because every order of it is as good (LightGBM counts it as 1, trec_eval as 0). Rows
    of equal score are in every order equally often: the mean over these orders is taken, as McSherry and Najork (2008),
    Computing information retrieval performance measures efficiently in the presence of tied scores, give it. It is the
    mean of what trec_eval says over all ways to name the rows: trec_eval sorts rows of equal score by their name.
    """

    empty_as_zero: bool = field(default=False, metadata=ADDED)
    """Whether a group without a relevant row counts as 0, as in trec_eval, and is not left out."""

    goal: ClassVar[Literal["maximize", "minimize"]] = "maximize"
    task: ClassVar[Task] = RANKING

    @property
    def meaning(self) -> str:
        """What it is of one group, as the beginning of a sentence."""
        raise NotImplementedError

    @property
    def definition(self) -> str:
        """In one sentence."""
        empty = "counts as 0" if self.empty_as_zero else "is left out"
        return f"{self.meaning}, averaged over groups; one without a relevant row {empty}."

    def score(self, truth: Numbers, prediction: Numbers, group: Groups | None = None) -> float:
        import numpy as np

        return float(self.resample(truth, prediction, np.ones((1, len(truth))), group)[0])

    def resample(self, truth: Numbers, prediction: Numbers, weights: Numbers, group: Groups | None = None) -> Numbers:
        import numpy as np

        scores = np.full(len(weights), np.nan)
        if len(truth) == 0 or not np.isfinite(prediction).all():
            return scores
        ranked, values = self.by_group(truth, prediction, group)
        known = ~np.isnan(values)
        drawn = np.ascontiguousarray(weights[:, ranked.rows[known]])  # added up alike for one resample and many
        total = drawn.sum(axis=1)
        np.divide(np.einsum("bq,q->b", drawn, values[known]), total, out=scores, where=total > 0)
        return scores

    def by_group(self, truth: Numbers, prediction: Numbers, group: Groups | None) -> tuple[Ranked, Numbers]:
        """The groups, sorted, and (groups,) the metric of each; where no row is relevant NaN, or 0 as declared."""
        import numpy as np

        if group is None:
            raise PlatformError(f"{type(self).__name__} is of groups, but was not told the groups of the rows.")
        ranked = Ranked.of(truth, prediction, group)
        values = self.of_groups(ranked)
        return ranked, np.where(ranked.totals(ranked.relevance) > 0, values, 0.0 if self.empty_as_zero else np.nan)

    def of_groups(self, ranked: Ranked) -> Numbers:
        """(groups,) the metric of each; of one without a relevant row it may be anything."""
        raise NotImplementedError
