"""Point lists for the plots of an evaluation; empty where predictions are not finite or a curve is not defined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.spec.task import BINARY, CLUSTERING, MULTICLASS, RANKING, REGRESSION, Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Points = tuple[tuple[float, float], ...]

MOST_POINTS = 200
CALIBRATION_BINS = 10
HISTOGRAM_BINS = 20
PLACES = (1, 2, 3, 5, 7, 10, 15, 20)
"""Where an order is cut to see how good its top is."""
USUAL_PLACE = 10
SIZE_BINS = 6
RESIDUAL_SHARES = {"p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}
"""Statistic of residuals → the share of rows whose residual is smaller."""


def curves(
    task: Task,
    truth: Numbers,
    prediction: Numbers,
    rivals: Mapping[str, Numbers],
    group: NDArray[np.int64] | None = None,
) -> dict[str, Points]:
    """Everything that is drawn of test rows: calibration and spread, and what only such a label has."""
    if task is MULTICLASS:
        return of_likeliest(truth, prediction)
    if task is CLUSTERING:
        return {}
    if task is RANKING:
        own, others = (
            _of_ranking(truth, prediction, group),
            [(n, _of_ranking(truth, r, group)) for n, r in rivals.items()],
        )
        return own | {f"baseline_{curve}_{name}": points for name, of in others for curve, points in of.items()}
    found = {"calibration": calibration(truth, prediction), "score_histogram": score_histogram(prediction)}
    if task is BINARY:
        of_rivals = {f"baseline_roc_{name}": roc(truth, rival) for name, rival in rivals.items()}
        return {"roc": roc(truth, prediction)} | found | of_rivals
    return found | {"residuals": residual_histogram(truth, prediction)}


def residual_statistics(task: Task, truth: Numbers, prediction: Numbers) -> dict[str, float]:
    """Of prediction minus truth: mean, standard deviation, median size, quantiles; empty unless of numbers."""
    import numpy as np

    if task is not REGRESSION or not _drawable(prediction):
        return {}
    residual = prediction - truth
    quantiles = np.quantile(residual, list(RESIDUAL_SHARES.values())).tolist()
    return {
        "mean": float(residual.mean()),
        "std": float(residual.std()),
        "median_absolute": float(np.median(np.abs(residual))),
        **dict(zip(RESIDUAL_SHARES, quantiles, strict=True)),
    }


def of_likeliest(truth: Numbers, prediction: Numbers) -> dict[str, Points]:
    """Calibration and spread of the probability of the likeliest class: how often is it right, how sure is it?"""
    import numpy as np

    if not _drawable(prediction):
        return {"calibration": (), "score_histogram": ()}
    right = (prediction.argmax(axis=1) == truth).astype(np.float64)
    sure = np.clip(prediction.max(axis=1), 0, 1)
    return {"calibration": calibration(right, sure), "score_histogram": score_histogram(sure)}


def _of_ranking(truth: Numbers, prediction: Numbers, group: NDArray[np.int64] | None) -> dict[str, Points]:
    return {"ndcg_at": ndcg_at(truth, prediction, group), "ndcg_by_size": ndcg_by_size(truth, prediction, group)}


def ndcg_at(truth: Numbers, prediction: Numbers, group: NDArray[np.int64] | None) -> Points:
    """(place at which the order is cut, NDCG there)."""
    import numpy as np

    from platform_ml.metrics import NDCG

    if group is None or not _drawable(prediction):
        return ()
    found = np.array([(at, NDCG(at).score(truth, prediction, group)) for at in PLACES])
    return _points(found[np.isfinite(found[:, 1])])


def ndcg_by_size(truth: Numbers, prediction: Numbers, group: NDArray[np.int64] | None) -> Points:
    """(mean rows of a group, mean NDCG@10) of groups of about the same size that have a relevant row."""
    import numpy as np

    from platform_ml.metrics import NDCG

    if group is None or not _drawable(prediction):
        return ()
    ranked, values = NDCG(USUAL_PLACE).by_group(truth, prediction, group)
    known = ~np.isnan(values)
    if not known.any():
        return ()
    size, values = ranked.size[known].astype(np.float64), values[known]
    edges = np.unique(np.quantile(size, np.linspace(0, 1, SIZE_BINS + 1)[1:-1]))
    place = np.searchsorted(edges, size, side="left")
    count = np.bincount(place)
    means = [np.bincount(place, weights=of)[count > 0] / count[count > 0] for of in (size, values)]
    return _points(np.column_stack(means))


def group_statistics(truth: Numbers, group: NDArray[np.int64] | None) -> dict[str, float]:
    """How many groups rows are in, their sizes, and how many have no relevant row; empty where there are no groups."""
    import numpy as np

    if group is None or not len(group):
        return {}
    _, place, size = np.unique(group, return_inverse=True, return_counts=True)
    relevant = np.bincount(place, weights=truth > 0)
    return {
        "groups": float(len(size)),
        "mean_rows": float(size.mean()),
        "median_rows": float(np.median(size)),
        "most_rows": float(size.max()),
        "without_relevant": float((relevant == 0).sum()),
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
