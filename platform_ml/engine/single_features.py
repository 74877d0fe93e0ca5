"""What single features say about the label, and about the split a row is in: both should leave something open."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from platform_ml.engine.audit import Check, Finding
from platform_ml.spec.task import BINARY, CLUSTERING, MULTICLASS
from platform_ml.spec.training_dataset import SPLIT, TEST, TRAIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.spec.task import Task
    from platform_ml.spec.training_dataset import TrainingDataset

    Numbers = NDArray[np.float64]

TOO_GOOD = Check(name="too_good", blocking=True, description="No single feature, nor its being null, gives the label.")
DRIFT = Check(
    name="train_against_test", blocking=False, description="Nothing tells training rows from test rows for certain."
)
MODEL_CHECKS = (TOO_GOOD, DRIFT)

LEAST = 25
"""Rows of either side below which a perfect separation may be luck."""
CELLS = 4_000_000
"""Values that are looked at: more rows, or more columns, are sampled."""
ROWS = 20_000
ROUNDS, DEPTH, BINS, FOLDS = 20, 3, 64, 3
DEARER = 4
"""How many times as long a value takes in the model as alone."""
UNLIKE = 0.1
"""How far above 0.5 a model may tell the sides of a split at random apart."""
SIGMAS = 4.0
SHOWN = 5


def model_findings(dataset: TrainingDataset, rows: pa.Table, cutoff: str) -> list[Finding]:
    """Hold single features against the label, and train against test."""
    return [_too_good(dataset, rows, cutoff), _drift(dataset, rows, cutoff)]


def area(values: Numbers, positive: NDArray[np.bool_]) -> float:
    """The area under the ROC curve, ties counted half (Mann and Whitney 1947); NaN where a side has under 25 rows."""
    n, m = int(positive.sum()), int((~positive).sum())
    if min(n, m) < LEAST:
        return float("nan")
    return float((ranks(values)[positive].sum() - n * (n + 1) / 2) / (n * m))


def rank_correlation(values: Numbers, other: Numbers) -> float:
    """Spearman's, ties at their mean rank; NaN for under 50 rows, or where one of both does not vary."""
    import numpy as np

    if len(values) < 2 * LEAST:
        return float("nan")
    a, b = (each - each.mean() for each in (ranks(values), ranks(other)))
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size else float("nan")


def ranks(values: Numbers) -> Numbers:
    """(n,) 1 for the least; equal values share the mean of their ranks."""
    import numpy as np

    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    mean: Numbers = (ends - (counts - 1) / 2)[place]
    return mean


def strength(values: Numbers, truth: Numbers, task: Task) -> float:
    """How well one column orders the truth, in either direction: 0.5 (numbers: 0) is chance, 1 is certainty.

    A column is judged where it is known, and by where it is null; NaN when there are too few rows to say.
    """
    import numpy as np

    known = ~np.isnan(values)
    found = []
    for x, y in ((values[known], truth[known]), (known.astype(float), truth)):
        if task is BINARY:
            # The greater of the two classes of all rows: among the known ones there may be only one.
            score = area(x, y == truth.max())
            found.append(max(score, 1 - score))
        else:
            found.append(abs(rank_correlation(x, y)))
    said = [score for score in found if score == score]  # noqa: PLR0124 - NaN
    return max(said, default=float("nan"))


def of_classes(values: pa.ChunkedArray, truth: pa.ChunkedArray) -> float:
    """How well one column tells each class from all others, on average over the rows: 0.5 is chance, 1 is certainty.

    Classes have no order, so numbers are cut into bins of as many rows; a bin says what the others in it are.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    classes = truth.unique().to_pylist()
    if not pa.types.is_string(values.type):
        numbers = column(values, np.zeros(len(values)))
        known = numbers[~np.isnan(numbers)]
        edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else known
        place = np.searchsorted(edges, numbers, side="right")
        values = pa.chunked_array([pa.array(place, mask=np.isnan(numbers)).cast("string")])
    found, rows = [], []
    for one in classes:
        is_one = pc.equal(truth, one).to_numpy().astype(np.float64)
        found.append(strength(_mean_truth(values, is_one), is_one, BINARY))
        rows.append(is_one.sum())
    judged = ~np.isnan(found)
    return float(np.average(np.asarray(found)[judged], weights=np.asarray(rows)[judged])) if judged.any() else np.nan


def column(values: pa.ChunkedArray, truth: Numbers) -> Numbers:
    """(n,) the values as numbers, NaN where null; for a text the mean truth that other rows have for it.

    Of a list it is the length: no single number says more of it.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_list(values.type):
        values = pc.list_value_length(values)
    kind = values.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        values = pc.cast(values, pa.timestamp("us")).cast("int64")
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)) and not (
        pa.types.is_boolean(kind) or pa.types.is_null(kind)
    ):
        return _mean_truth(values, truth)
    numbers: Numbers = np.asarray(values.cast("double", safe=False).to_numpy(), dtype=np.float64)
    return numbers


def _mean_truth(values: pa.ChunkedArray, truth: Numbers) -> Numbers:
    import numpy as np
    import pyarrow.compute as pc

    text = pc.cast(values, "string").combine_chunks().dictionary_encode()
    codes = text.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    half = np.random.default_rng(0).random(len(codes)) < 0.5  # noqa: PLR2004 - half
    found = np.full(len(codes), np.nan)
    for here in (half, ~half):
        there = ~here & (codes >= 0)
        count = np.bincount(codes[there], minlength=len(text.dictionary))
        total = np.bincount(codes[there], truth[there], minlength=len(text.dictionary))
        mean = np.where(count > 0, total / np.maximum(count, 1), truth.mean())
        found[here & (codes >= 0)] = mean[codes[here & (codes >= 0)]]
    return found


def _too_good(dataset: TrainingDataset, rows: pa.Table, cutoff: str) -> Finding:
    import numpy as np

    view, limit, task = dataset.view, dataset.audit.too_good, dataset.view.label.task
    rows = sample(rows, len(view.feature_names))
    if task is CLUSTERING:
        return Finding(check=TOO_GOOD, partition=cutoff, passed=True, reason="There is no label to give away.")
    if task is MULTICLASS:
        found = strongest((name, of_classes(rows[name], rows[view.label.name])) for name in view.feature_names)
    else:
        truth = np.asarray(rows[view.label.name].cast("double").to_numpy(), dtype=np.float64)
        found = strongest((name, strength(column(rows[name], truth), truth, task)) for name in view.feature_names)
    if not found:
        reason = f"{rows.num_rows:,} rows, {LEAST} of each side are needed to judge a feature: nothing was judged."
        return Finding(check=TOO_GOOD, partition=cutoff, passed=True, reason=reason)
    accused = {name: score for name, score in found.items() if score >= limit}
    measure = "AUC" if task.in_classes else "rank correlation"
    shown = ", ".join(f"{name!r} {score:.3f}" for name, score in list(accused.items() or found.items())[:SHOWN])
    reason = (
        f"Alone, {shown} give the label away ({measure}, limit {limit:g}). Look whether they are made of the outcome "
        "and drop them, or raise LeakAudit(too_good=...) if the label is that easy."
        if accused
        else f"The strongest single features by {measure} (limit {limit:g}): {shown}."
    )
    return Finding(check=TOO_GOOD, partition=cutoff, passed=not accused, reason=reason, numbers=_top(found))


def _drift(dataset: TrainingDataset, rows: pa.Table, cutoff: str) -> Finding:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    names, entity = dataset.view.feature_names, dataset.view.label.entity
    sides = [sample(rows.filter(pc.equal(rows[SPLIT], side)), len(names), DEARER) for side in (TRAIN, TEST)]
    count = [pc.count_distinct(side[entity]).as_py() for side in sides]
    few = min(count) < LEAST and dataset.splitter.separates_entities
    if few or min(side.num_rows for side in sides) < 2 * LEAST:
        least = f"{LEAST} entities" if few else f"{2 * LEAST} rows"
        reason = f"Fewer than {least} on a side: train and test were not held against each other."
        return Finding(check=DRIFT, partition=cutoff, passed=True, reason=reason)
    both = pa.concat_tables(sides)
    tested = np.repeat([0.0, 1.0], [side.num_rows for side in sides])
    values = np.column_stack([column(both[name], tested) for name in names])
    groups = pc.rank(both[entity], sort_keys="ascending", tiebreaker="dense").to_numpy().astype(np.int64)
    score = told_apart(values, tested, groups)
    found = strongest((name, strength(values[:, n], tested, BINARY)) for n, name in enumerate(names))
    limit, at_random = dataset.audit.tells_apart, not dataset.splitter.by_time
    accused = {name: strong for name, strong in found.items() if strong >= limit}
    unlike = at_random and score > 0.5 + max(UNLIKE, SIGMAS * sqrt((sum(count) + 1) / (12 * count[0] * count[1])))
    shown = ", ".join(f"{name!r} {strong:.3f}" for name, strong in list(accused.items() or found.items())[:SHOWN])
    reason = f"A model tells test rows from training rows with AUC {score:.3f} (0.5 is chance); most by {shown}."
    if accused:
        reason += (
            f" From {limit:g} on a feature names the split: a row number or a clock, which says nothing of later rows. "
            "Drop it, or use how long ago instead of when."
        )
    elif unlike:
        reason += " Sides that were drawn at random should be alike: look how these features were filled."
    elif not at_random:
        reason += " Some drift is normal between earlier and later rows."
    numbers = {"auc": round(score, 4)} | _top(found)
    return Finding(check=DRIFT, partition=cutoff, passed=not (accused or unlike), reason=reason, numbers=numbers)


def told_apart(values: Numbers, tested: Numbers, groups: NDArray[np.int64]) -> float:
    """The area under the ROC curve of boosted trees that tell the sides apart, on groups that they never saw."""
    import numpy as np
    import xgboost as xgb

    params = {"objective": "binary:logistic", "max_depth": DEPTH, "max_bin": BINS, "eta": 0.3, "nthread": 1, "seed": 0}
    names, place = np.unique(groups, return_inverse=True)
    fold = (np.random.default_rng(0).permutation(len(names)) % FOLDS)[place]
    # Ranks: trees see the order alone, and values beyond 32 bits keep theirs.
    with_order = np.full(values.shape, np.nan)
    for n in range(values.shape[1]):
        known = ~np.isnan(values[:, n])
        with_order[known, n] = ranks(values[known, n])
    said = np.full(len(tested), 0.5)
    for n in range(FOLDS):
        learn = fold != n
        if len(np.unique(tested[learn])) < 2 or learn.all():  # noqa: PLR2004 - two sides
            continue
        model = xgb.train(params, xgb.DMatrix(with_order[learn], tested[learn], nthread=1), ROUNDS)
        said[~learn] = model.predict(xgb.DMatrix(with_order[~learn], nthread=1))
    return area(said, tested == 1)


def sample(rows: pa.Table, columns: int, dearer: int = 1) -> pa.Table:
    """At most as many rows as are worth looking at, the same ones each time, in order."""
    import numpy as np

    most = max(10 * LEAST, min(ROWS, CELLS // max(1, columns)) // dearer)
    if rows.num_rows <= most:
        return rows
    return rows.take(np.sort(np.random.default_rng(0).permutation(rows.num_rows)[:most]))


def strongest(scores: Iterable[tuple[str, float]]) -> dict[str, float]:
    """The scores that are numbers, the greatest first, equal ones by name."""
    known = [(name, score) for name, score in scores if score == score]  # noqa: PLR0124 - NaN
    return dict(sorted(known, key=lambda item: (-item[1], item[0])))


def _top(found: Mapping[str, float]) -> dict[str, float]:
    return {name: round(score, 4) for name, score in list(found.items())[:SHOWN]}
