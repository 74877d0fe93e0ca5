"""How often intervals held the truth on the test rows, and how wide they are: in all, by group, slice and period."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from platform_ml.engine.bootstrap import resampled
from platform_ml.engine.evidence import entities, interval, spreads
from platform_ml.engine.intervals import groups_of
from platform_ml.engine.slicing import periods_of, slices_of
from platform_ml.spec.evaluation import CONFIDENCE
from platform_ml.spec.evidence import ALL, Compared, Evidence, Measured
from platform_ml.spec.intervals import COVERED, IntervalPart, IntervalScore
from platform_ml.spec.training_dataset import TEST

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.engine.intervals import Calibrated
    from platform_ml.engine.rows import SplitRows
    from platform_ml.spec.evaluation import Evaluation, EvaluationResult

    Numbers = NDArray[np.float64]
    Places = NDArray[np.int64]
    Key = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Held:
    """Which test rows lie within their interval, on the resamples of the metrics."""

    inside: Numbers
    """(n,) 1 where the truth lies within."""
    width: Numbers
    """(n,)"""
    entity: Places
    weights: tuple[Numbers, ...]

    def share(self, rows: Places) -> tuple[float, Numbers]:
        """Of some rows, and on each resample; NaN where none of them was drawn."""
        import numpy as np

        inside, drawn = self.inside[rows], [np.empty(0)]
        for weights in self.weights:
            own = weights[:, rows]
            count = own.sum(axis=1)
            drawn.append(np.divide(own @ inside, count, out=np.full(len(own), np.nan), where=count > 0))
        return float(inside.mean()), np.concatenate(drawn)

    def measured(self, rows: Places) -> Measured:
        """The share with its interval by entities; where resamples are all alike, that of Wilson (1927) over them."""
        import numpy as np

        value, drawn = self.share(rows)
        drawn = drawn[np.isfinite(drawn)]
        if len(drawn) and np.ptp(drawn) > 0:
            return interval(value, drawn)
        low, high = wilson(value, entities(self.entity, rows))
        return Measured(value=value, low=low, high=high)


def wilson(share: float, count: int) -> tuple[float, float]:
    """The 95 % interval of a share of `count` independent draws: Wilson (1927), Probable inference.

    >>> [round(end, 3) for end in wilson(1.0, 20)]
    [0.839, 1.0]
    """
    from statistics import NormalDist

    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    middle, spread = share + z * z / (2 * count), z * (share * (1 - share) / count + z * z / (4 * count**2)) ** 0.5
    scale = 1 + z * z / count
    return (middle - spread) / scale if share > 0 else 0.0, (middle + spread) / scale if share < 1 else 1.0


def with_intervals(
    result: EvaluationResult, evaluation: Evaluation, intervals: Calibrated, test: SplitRows, prediction: Numbers
) -> EvaluationResult:
    """The numbers of an evaluation with those of the intervals, and with what gates on slices need of them.

    Resamples are those of the metrics.
    """
    import numpy as np

    declared = intervals.declared
    score = IntervalScore(
        promised=declared.coverage, rule=declared.rule, widths=intervals.widths, relative=declared.relative
    )
    if not len(test.label):
        return replace(result, intervals=score)
    seed = f"{result.dataset_digest}/{TEST}"
    low, high = intervals.bounds(prediction, test.features).T
    held = Held(
        inside=((test.label >= low) & (test.label <= high)).astype(float),
        width=high - low,
        entity=test.entity,
        weights=tuple(resampled(test, resamples=evaluation.resamples, seed=seed)),
    )
    every = np.arange(len(test.label))
    judged = {**_groups(intervals, test), **slices_of(test, evaluation.slices)}
    periods = periods_of(test, evaluation.periods) if evaluation.periods else {}
    parts = judged | {(str(evaluation.periods), name): rows for name, (_, rows) in periods.items()}
    score = replace(
        score,
        covered=held.measured(every),
        width=float(held.width.mean()),
        parts=tuple(_part(held, key, rows, evaluation.min_rows) for key, rows in parts.items()),
    )
    enough = {key: rows for key, rows in judged.items() if len(rows) >= evaluation.min_rows}
    compared = tuple(_compared(held, key, rows) for key, rows in enough.items())
    evidence = result.evidence or Evidence()
    return replace(result, intervals=score, evidence=replace(evidence, compared=(*evidence.compared, *compared)))


def _groups(intervals: Calibrated, test: SplitRows) -> Mapping[Key, Places]:
    import numpy as np

    by = intervals.declared.by
    if not by:
        return {}
    groups = np.array(groups_of(by, test.features))
    return {(" and ".join(by), str(group)): np.flatnonzero(groups == group) for group in np.unique(groups)}


def _part(held: Held, key: Key, rows: Places, least: int) -> IntervalPart:
    if len(rows) < least:
        return IntervalPart(column=key[0], value=key[1], rows=len(rows))
    return IntervalPart(
        column=key[0],
        value=key[1],
        rows=len(rows),
        covered=held.measured(rows),
        width=float(held.width[rows].mean()),
    )


def _compared(held: Held, key: Key, rows: Places) -> Compared:
    import numpy as np

    every = np.arange(len(held.inside))
    (value, drawn), (reference, others) = held.share(rows), held.share(every)
    return Compared(
        measure=COVERED,
        column=key[0],
        value_of=key[1],
        against=ALL,
        rows=len(rows),
        entities=entities(held.entity, rows),
        reference_rows=len(every),
        reference_entities=entities(held.entity, None),
        value=value,
        reference=reference,
        **spreads(drawn, others),
    )
