"""What gates need of test rows beside metrics: spreads of slices, rates at a threshold, calibration, coverage."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from platform_ml.checks.distances import (
    LEAST,
    bins,
    categories,
    pooled,
    shares,
    size,
    stability,
    stability_by_chance,
)
from platform_ml.engine.bootstrap import DEFINED, resampled, together
from platform_ml.engine.split_statistics import statistics_of
from platform_ml.spec.evaluation import CONFIDENCE
from platform_ml.spec.evidence import ALL, RATES, REST, SELECTION_RATE, TRUE_POSITIVE_RATE, Compared, Evidence, Measured
from platform_ml.spec.task import BINARY
from platform_ml.spec.training_dataset import TEST, TRAIN

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.checks.distances import Weighted
    from platform_ml.engine.bootstrap import Measured as Resampled
    from platform_ml.engine.bootstrap import Subject
    from platform_ml.engine.ports import Artifact
    from platform_ml.engine.rows import SplitRows
    from platform_ml.spec.evaluation import Evaluation
    from platform_ml.spec.statistics import PartitionStatistics

    Numbers = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Key = tuple[str, ...]

BINS = 10
"""Bins of about as many rows each, in which predictions are compared with what happened."""
FEWEST = 30
"""Values on either side that drift is measured of."""


@dataclass(frozen=True, kw_only=True)
class Tested:
    """A model's test rows, its slices of them, and what metrics were on resamples."""

    splits: Mapping[str, SplitRows]
    whole: Subject
    slices: Mapping[Key, Subject]
    """(_, column, value) → its rows."""
    of_whole: Mapping[str, Resampled]
    of_slices: Mapping[Key, Mapping[str, Resampled]]
    seed: str
    """That of the resamples of the metrics."""


def gather(evaluation: Evaluation, tested: Tested) -> Evidence:
    """What is known from the rows alone; resamples are those of the metrics, entities with all of their rows."""
    test, threshold = tested.splits[TEST], evaluation.threshold
    entity = together(test.entity, test.group)
    covered, outside = _inside(tested.splits)
    compared = _metrics(tested, entity)
    errors = Calibration.of(tested.whole) if evaluation.model.task is BINARY else None
    hits = None if threshold is None else Rates.of(tested, threshold)
    drawn_error, drawn_share, drawn_rates = [], [], []
    for weights in resampled(test, resamples=evaluation.resamples, seed=tested.seed):
        drawn_share.append(weights @ covered / weights.sum(axis=1))  # whole numbers: exact in any order
        if errors is not None:
            drawn_error.append(errors.on(weights))
        if hits is not None:
            drawn_rates.append(hits.on(weights))
    if hits is not None:
        compared += hits.compared(drawn_rates, entity)
    return Evidence(
        compared=tuple(compared),
        threshold=threshold,
        calibration=errors.corrected(drawn_error) if errors is not None else Measured(),
        covered=_share(covered, drawn_share),
        outside=outside,
    )


def with_dataset(evidence: Evidence, evaluation: Evaluation, dataset: Artifact) -> Evidence:
    """And what the dataset's manifest and statistics say: drift of each feature, and the audit for leaks."""
    found = statistics_of(dataset)
    names = evaluation.model.dataset.view.feature_names
    audit = dataset.record.get("audit", {})
    return replace(
        evidence,
        drift=drift(names, found[TRAIN], found[TEST]) if {TRAIN, TEST} <= found.keys() else {},
        audit={check: "" if one["passed"] else one["reason"] for check, one in audit.items()},
    )


def drift(names: list[str], train: PartitionStatistics, test: PartitionStatistics) -> dict[str, tuple[float, float]]:
    """Feature → its population stability index, and the index that chance exceeds once in a thousand times.

    Over deciles of the training rows, or over categories; times and features with too few values are left out.
    """
    compared = {name: index_between(pooled(name, [train]), pooled(name, [test])) for name in names}
    return {name: found for name, found in compared.items() if found is not None}


def index_between(before: Weighted, after: Weighted) -> tuple[float, float] | None:
    """The population stability index of a column between any two sides, and that of chance; None: too few values."""
    n, m = size(before), size(after)
    if min(n, m) < FEWEST or before[0][1].kind == "time":
        return None
    if before[0][1].kind == "number":
        edges = bins(before)
        sides = shares(before, edges), shares(after, edges)
    else:
        pairs = categories(before, after)
        sides = [a / n for a, _ in pairs], [b / m for _, b in pairs]
    index = stability(*sides, (LEAST / n, LEAST / m))
    return float(index), stability_by_chance(n, m, len(sides[0]))


def _metrics(tested: Tested, entity: NDArray[np.int64]) -> list[Compared]:
    return [
        Compared(
            measure=name,
            column=key[1],
            value_of=key[2],
            against=ALL,
            rows=len(tested.slices[key].truth),
            entities=entities(entity, tested.slices[key].rows),
            reference_rows=len(entity),
            reference_entities=entities(entity, None),
            value=own.value,
            reference=tested.of_whole[name].value,
            **spreads(own.drawn, tested.of_whole[name].drawn),
        )
        for key, measured in tested.of_slices.items()
        for name, own in measured.items()
    ]


def entities(entity: NDArray[np.int64], rows: NDArray[np.int64] | None) -> int:
    """How many there are in some rows; None: in all."""
    import numpy as np

    return len(np.unique(entity if rows is None else entity[rows]))


def spreads(own: Numbers, other: Numbers) -> dict[str, float]:
    """Variances and covariance over the resamples on which both are defined, if those are nearly all."""
    import numpy as np

    defined = np.isfinite(own) & np.isfinite(other)
    if defined.sum() <= 1 or defined.mean() < DEFINED:
        return {}
    (variance, covariance), (_, reference) = np.cov(own[defined], other[defined]).tolist()
    return {"variance": variance, "reference_variance": reference, "covariance": covariance}


@dataclass(frozen=True, kw_only=True)
class Rates:
    """How often rows of each slice, and the other rows, are selected: of all, of those that are true, and false."""

    keys: list[tuple[Key, str, str]]
    """(slice, rate, ALL or REST) of each pair of columns."""
    hits: Numbers
    """(n, k): 1 where a row counts."""
    base: Numbers
    """(n, k): 1 where a row could count."""

    @classmethod
    def of(cls, tested: Tested, threshold: float) -> Rates:
        """Of every slice, with the rest of the rows beside it."""
        import numpy as np

        truth, selected = tested.whole.truth > 0, tested.whole.prediction >= threshold
        base, keys = [], []
        for key, subject in tested.slices.items():
            member = np.zeros(len(truth), dtype=bool)
            member[subject.rows] = True
            for rate in RATES:
                about = np.ones_like(truth) if rate == SELECTION_RATE else truth == (rate == TRUE_POSITIVE_RATE)
                base += [about & member, about & ~member]
                keys += [(key, rate, ALL), (key, rate, REST)]
        columns = np.column_stack(base) if base else np.empty((len(truth), 0), dtype=bool)
        return cls(keys=keys, hits=(columns & selected[:, None]).astype(float), base=columns.astype(float))

    def on(self, weights: Numbers) -> Numbers:
        """(b, k) rates on each resample; NaN where no row could count."""
        import numpy as np

        could = weights @ self.base  # whole numbers: exact in any order
        rates: Numbers = np.divide(weights @ self.hits, could, out=np.full(could.shape, np.nan), where=could > 0)
        return rates

    def compared(self, drawn: list[Numbers], entity: NDArray[np.int64]) -> list[Compared]:
        """The rate of each slice beside that of the rest."""
        import numpy as np

        values = self.on(np.ones((1, len(entity))))[0]
        rates = np.vstack([np.empty((0, len(self.keys))), *drawn])
        return [
            Compared(
                measure=self.keys[at][1],
                column=self.keys[at][0][1],
                value_of=self.keys[at][0][2],
                against=REST,
                rows=int(self.base[:, at].sum()),
                entities=entities(entity, np.flatnonzero(self.base[:, at])),
                reference_rows=int(self.base[:, at + 1].sum()),
                reference_entities=entities(entity, np.flatnonzero(self.base[:, at + 1])),
                value=float(values[at]),
                reference=float(values[at + 1]),
                **spreads(rates[:, at], rates[:, at + 1]),
            )
            for at in range(0, len(self.keys), 2)
        ]


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Probabilities and outcomes, sorted into bins."""

    order: NDArray[np.int64]
    """Rows by bin."""
    starts: NDArray[np.int64]
    """Where each bin begins."""
    prediction: Numbers
    truth: Numbers

    @classmethod
    def of(cls, whole: Subject) -> Calibration | None:
        """Bins of about as many rows each; None without rows and where predictions are no probabilities."""
        import numpy as np

        prediction = whole.prediction
        if not len(prediction) or not ((prediction >= 0) & (prediction <= 1)).all():
            return None
        edges = np.unique(np.quantile(prediction, np.linspace(0, 1, BINS + 1)[1:-1]))
        place = np.searchsorted(edges, prediction, side="right")
        order = np.argsort(place, kind="stable")
        starts = np.flatnonzero(np.diff(place[order], prepend=-1))
        return cls(order=order, starts=starts, prediction=prediction[order], truth=whole.truth[order])

    def on(self, weights: Numbers) -> Numbers:
        """On each resample the mean over rows of the squared difference of prediction and outcome in their bin.

        The reliability of the Brier score: Murphy (1973), A new vector partition of the probability score.
        """
        import numpy as np

        sorted_ = weights[:, self.order]
        rows = np.add.reduceat(sorted_, self.starts, axis=1)
        apart = np.add.reduceat(sorted_ * (self.prediction - self.truth), self.starts, axis=1)
        squares = np.divide(apart**2, rows, out=np.zeros(rows.shape), where=rows > 0)
        reliability: Numbers = squares.sum(axis=1) / rows.sum(axis=1)
        return reliability

    def corrected(self, drawn: list[Numbers]) -> Measured:
        """The root of it, less what chance adds."""
        import numpy as np

        found = float(self.on(np.ones((1, len(self.order))))[0])
        return without_chance(found, np.concatenate([np.empty(0), *drawn]))


def without_chance(found: float, drawn: Numbers) -> Measured:
    """The root of a mean square, less what chance adds to squares: resampling adds as much again, which shows how much.

    Ferro and Fricker (2012), A bias-corrected decomposition of the Brier score, have the same for single rows.
    """
    import numpy as np

    if not len(drawn):
        return Measured(value=found**0.5)
    added = float(drawn.mean()) - found
    tail = (1 - CONFIDENCE) / 2
    low, high = (np.quantile(drawn, (tail, 1 - tail)) - 2 * added).tolist()
    value, low, high = (max(0.0, square) ** 0.5 for square in (found - added, low, high))
    return Measured(value=value, low=low, high=high)


def interval(value: float, drawn: Numbers) -> Measured:
    """A number with its percentile interval; without resamples the number alone."""
    import numpy as np

    if not len(drawn):
        return Measured(value=value)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn, (tail, 1 - tail)).tolist()
    return Measured(value=value, low=low, high=high)


def _inside(splits: Mapping[str, SplitRows]) -> tuple[Numbers, dict[str, float]]:
    """(n,) 1 where every feature of a test row is within the training rows; and the share outside, by feature."""
    import numpy as np

    train, test = splits[TRAIN].features, splits[TEST].features
    inside, outside = np.ones(test.num_rows, dtype=bool), {}
    for name in test.column_names if test.num_rows else []:
        within = _within(train[name], test[name])
        inside &= within
        if not within.all():
            outside[name] = 1 - float(within.mean())
    return inside.astype(float), outside


def _within(train: pa.ChunkedArray, test: pa.ChunkedArray) -> Flags:
    """Which values lie between the least and the greatest known one, or are a known category; so with missing ones."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_list(train.type):  # of lists, how long they are
        train, test = pc.list_value_length(train), pc.list_value_length(test)
    kind = train.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        if not pa.types.is_temporal(kind):
            known: Flags = pc.is_in(test, value_set=train.unique()).to_numpy().astype(bool)
            return known
        train, test = train.cast(pa.int64()), test.cast(pa.int64())
    seen, values = (one.cast(pa.float64()).to_numpy().astype(np.float64) for one in (train, test))
    numbers, missing = seen[np.isfinite(seen)], np.isnan(values)
    between = (values >= numbers.min()) & (values <= numbers.max()) if len(numbers) else np.zeros(len(values), bool)
    return np.where(missing, bool(np.isnan(seen).any()), between)


def _share(flags: Numbers, drawn: list[Numbers]) -> Measured:
    import numpy as np

    return interval(float(flags.mean()), np.concatenate([np.empty(0), *drawn])) if len(flags) else Measured()
