"""How sure a number is: metrics on resamples of the entities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeVar

from platform_ml.spec.evaluation import CONFIDENCE, Estimate
from platform_ml.spec.fingerprint import digest

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.engine.rows import SplitRows
    from platform_ml.spec.metric import Metric

    Numbers = NDArray[np.float64]
    Key = TypeVar("Key", bound=Hashable)

CELLS = 1 << 21
"""Weights that exist at once: 16 MiB."""
DEFINED = 0.95
"""The share of resamples in which a metric must be defined, else there is no interval."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Rows and what was predicted for them."""

    truth: Numbers
    prediction: Numbers
    rows: NDArray[np.int64] | None = None
    """Which of the resampled rows these are; None: all."""
    group: NDArray[np.int64] | None = None
    """(n,) of a ranking: which rows are ranked together."""

    @classmethod
    def of(cls, rows: SplitRows, prediction: Numbers, taken: NDArray[np.int64] | None = None) -> Self:
        """All rows of a split with their predictions, or those that are taken."""
        if taken is None:
            return cls(truth=rows.label, prediction=prediction, group=rows.group)
        group = None if rows.group is None else rows.group[taken]
        return cls(truth=rows.label[taken], prediction=prediction[taken], rows=taken, group=group)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A metric, and what it is on each resample: differences of two are paired."""

    value: float
    drawn: Numbers
    """(resamples,); empty when nothing was resampled."""

    def better(self, than: Measured, goal: str) -> Measured:
        """By how much this is better; negative is worse."""
        sign = 1.0 if goal == "maximize" else -1.0
        return Measured(value=sign * (self.value - than.value), drawn=sign * (self.drawn - than.drawn))

    def estimate(self, confidence: float = CONFIDENCE) -> Estimate:
        """The value with its percentile interval (Efron 1981): Davison and Hinkley (1997), section 5.3.1."""
        import numpy as np

        defined = self.drawn[np.isfinite(self.drawn)]
        if not len(defined) or len(defined) < DEFINED * len(self.drawn):
            return Estimate(value=self.value)
        tail = (1 - confidence) / 2
        low, high = np.quantile(defined, (tail, 1 - tail)).tolist()
        return Estimate(value=self.value, low=low, high=high)


def together(entity: NDArray[np.int64], group: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """(n,) what is drawn at once: entities, or the groups of a ranking where entities would cut them in two."""
    import numpy as np

    if group is None:
        return entity
    order = np.lexsort((entity, group))
    cut = (np.diff(group[order]) == 0) & (np.diff(entity[order]) != 0)
    return group if cut.any() else entity


def resampled(rows: SplitRows, *, resamples: int, seed: str) -> Iterator[Numbers]:
    """`entity_weights` of the rows of a split, with groups of a ranking left whole."""
    return entity_weights(together(rows.entity, rows.group), resamples=resamples, seed=seed)


def entity_weights(entity: NDArray[np.int64], *, resamples: int, seed: str) -> Iterator[Numbers]:
    """How often each row is drawn, in blocks (b, n) that add up to `resamples` rows.

    Entities are drawn, as many as there are and with replacement, because rows of one entity depend on each other.
    One entity alone says nothing about others: then there are no blocks.
    """
    import numpy as np

    known, number = np.unique(entity, return_inverse=True)
    entities = len(known)
    if entities <= 1:
        return
    draw = np.random.default_rng(int(digest(seed)[:16], 16))
    step = max(1, CELLS // len(entity))
    for start in range(0, resamples, step):
        block = min(step, resamples - start)
        drawn = draw.integers(entities, size=(block, entities)) + entities * np.arange(block)[:, None]
        times = np.bincount(drawn.ravel(), minlength=block * entities).reshape(block, entities)
        yield times.astype(np.float64)[:, number]


def measure(
    metrics: Sequence[Metric], subjects: Mapping[Key, Subject], blocks: Iterable[Numbers]
) -> dict[Key, dict[str, Measured]]:
    """Every metric of every subject, on the same resamples."""
    import numpy as np

    drawn: dict[tuple[Key, str], list[Numbers]] = {(key, m.name): [np.empty(0)] for key in subjects for m in metrics}
    for weights in blocks:
        for key, subject in subjects.items():
            own = weights if subject.rows is None else weights[:, subject.rows]
            for metric in metrics:
                drawn[key, metric.name].append(metric.resample(subject.truth, subject.prediction, own, subject.group))
    return {
        key: {
            m.name: Measured(value=m.score(s.truth, s.prediction, s.group), drawn=np.concatenate(drawn[key, m.name]))
            for m in metrics
        }
        for key, s in subjects.items()
    }
