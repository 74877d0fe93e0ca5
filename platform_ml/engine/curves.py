"""Point lists for the plots of an evaluation; empty where predictions are not finite or a curve is not defined."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Points = tuple[tuple[float, float], ...]

MOST_POINTS = 200
CALIBRATION_BINS = 10
HISTOGRAM_BINS = 20


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
    import numpy as np

    if not _drawable(prediction):
        return ()
    least, greatest = float(prediction.min()), float(prediction.max())
    span = (0.0, 1.0) if least >= 0 and greatest <= 1 else (least, greatest)
    rows, edges = np.histogram(prediction, bins=HISTOGRAM_BINS, range=span)
    return _points(np.column_stack([(edges[:-1] + edges[1:]) / 2, rows / len(prediction)]))


def _drawable(prediction: Numbers) -> bool:
    import numpy as np

    return len(prediction) > 0 and bool(np.isfinite(prediction).all())


def _points(array: Numbers) -> Points:
    return tuple((x, y) for x, y in array.tolist())
