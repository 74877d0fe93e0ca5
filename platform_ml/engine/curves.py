"""Point lists for the plots of an evaluation; empty where predictions are not finite or a curve is not defined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.spec.task import BINARY, Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Points = tuple[tuple[float, float], ...]

MOST_POINTS = 200
CALIBRATION_BINS = 10
HISTOGRAM_BINS = 20
RESIDUAL_SHARES = {"p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}
"""Statistic of residuals → the share of rows whose residual is smaller."""


def curves(task: Task, truth: Numbers, prediction: Numbers, rivals: Mapping[str, Numbers]) -> dict[str, Points]:
    """Everything that is drawn of test rows: calibration and spread, and what only such a label has."""
    found = {"calibration": calibration(truth, prediction), "score_histogram": score_histogram(prediction)}
    if task is BINARY:
        of_rivals = {f"baseline_roc_{name}": roc(truth, rival) for name, rival in rivals.items()}
        return {"roc": roc(truth, prediction)} | found | of_rivals
    return found | {"residuals": residual_histogram(truth, prediction)}


def residual_statistics(task: Task, truth: Numbers, prediction: Numbers) -> dict[str, float]:
    """Of prediction minus truth: mean, standard deviation, median size, quantiles; empty for a binary label."""
    import numpy as np

    if task is BINARY or not _drawable(prediction):
        return {}
    residual = prediction - truth
    quantiles = np.quantile(residual, list(RESIDUAL_SHARES.values())).tolist()
    return {
        "mean": float(residual.mean()),
        "std": float(residual.std()),
        "median_absolute": float(np.median(np.abs(residual))),
        **dict(zip(RESIDUAL_SHARES, quantiles, strict=True)),
    }


def residual_histogram(truth: Numbers, prediction: Numbers) -> Points:
    """(middle of the bin, share of the rows) of prediction minus truth; the outer bins hold all that lies beyond."""
    import numpy as np

    if not _drawable(prediction):
        return ()
    residual = prediction - truth
    low, high = np.quantile(residual, (0.01, 0.99)).tolist()
    return _histogram(np.clip(residual, low, high), (low, high))


def roc(truth: Numbers, prediction: Numbers) -> Points:
    """(false positive rate, true positive rate) as the threshold falls, from (0, 0) to (1, 1), thinned for drawing."""
    import numpy as np

    positives = truth.sum()
    if not _drawable(prediction) or positives in {0, len(truth)}:
        return ()
    order = np.argsort(-prediction, kind="stable")
    last_of_ties = np.append(np.flatnonzero(np.diff(prediction[order])), len(order) - 1)
    hits = np.cumsum(truth[order])[last_of_ties]
    alarms = last_of_ties + 1 - hits
    rates = np.column_stack([alarms / (len(truth) - positives), hits / positives])
    rates = np.vstack([[0.0, 0.0], rates])
    kept = np.unique(np.linspace(0, len(rates) - 1, MOST_POINTS).astype(np.int64))
    return _points(rates[kept])


def calibration(truth: Numbers, prediction: Numbers) -> Points:
    """(mean prediction, observed rate) in bins of about as many rows each; equal predictions share a bin."""
    import numpy as np

    if not _drawable(prediction):
        return ()
    edges = np.unique(np.quantile(prediction, np.linspace(0, 1, CALIBRATION_BINS + 1)[1:-1]))
    place = np.searchsorted(edges, prediction, side="right")
    rows = np.bincount(place)
    used = rows > 0
    sums = [np.bincount(place, weights=of)[used] / rows[used] for of in (prediction, truth)]
    return _points(np.column_stack(sums))


def score_histogram(prediction: Numbers) -> Points:
    """(middle of the bin, share of the rows): over [0, 1] for probabilities, else from the least to the greatest."""
    if not _drawable(prediction):
        return ()
    least, greatest = float(prediction.min()), float(prediction.max())
    span = (0.0, 1.0) if least >= 0 and greatest <= 1 else (least, greatest)
    return _histogram(prediction, span)


def _histogram(values: Numbers, span: tuple[float, float]) -> Points:
    import numpy as np

    rows, edges = np.histogram(values, bins=HISTOGRAM_BINS, range=span)
    return _points(np.column_stack([(edges[:-1] + edges[1:]) / 2, rows / len(values)]))


def _drawable(prediction: Numbers) -> bool:
    import numpy as np

    return len(prediction) > 0 and bool(np.isfinite(prediction).all())


def _points(array: Numbers) -> Points:
    return tuple((x, y) for x, y in array.tolist())
