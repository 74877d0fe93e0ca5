"""How good a model is class by class, the likeliest class of a row being its prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.engine.bootstrap import Measured
from platform_ml.spec.evaluation import ClassScore

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]


def confusion_matrix(classes: int, truth: Numbers, prediction: Numbers) -> NDArray[np.int64]:
    """(classes, classes) how many rows of each class, one below the other, are predicted as each class."""
    import numpy as np

    pair = truth.astype(np.int64) * classes + prediction.argmax(axis=1)
    found: NDArray[np.int64] = np.bincount(pair, minlength=classes**2).reshape(classes, classes)
    return found


def class_scores(
    classes: Sequence[str], truth: Numbers, prediction: Numbers, blocks: Iterable[Numbers] = ()
) -> tuple[ClassScore, ...]:
    """Each class, with intervals from blocks (b, n) of resamples; none without classes, rows, or finite predictions."""
    import numpy as np

    if not classes or not len(truth) or not np.isfinite(prediction).all():
        return ()
    matrix = confusion_matrix(len(classes), truth, prediction)
    own = _scores(len(classes), truth, prediction, np.ones((1, len(truth))))
    drawn = [_scores(len(classes), truth, prediction, weights) for weights in blocks]
    found = []
    for place, name in enumerate(classes):
        estimates = {
            kind: Measured(
                value=value[0], drawn=np.concatenate([np.empty(0), *(block[place][kind] for block in drawn)])
            ).estimate()
            for kind, value in own[place].items()
        }
        found.append(
            ClassScore(
                name=name,
                rows=int(matrix[place].sum()),
                predicted=tuple(matrix[place].tolist()),
                **{kind: one.value for kind, one in estimates.items()},
                intervals=estimates if drawn else {},
            )
        )
    return tuple(found)


def _scores(classes: int, truth: Numbers, prediction: Numbers, weights: Numbers) -> list[dict[str, Numbers]]:
    """Of each class its scores, each (b,); NaN where they are not defined."""
    import numpy as np

    from platform_ml.metrics import RocAuc

    said = prediction.argmax(axis=1)
    found = []
    for place in range(classes):
        there, chosen = truth == place, said == place
        flags = np.column_stack([there & chosen, there, chosen]).astype(np.float64)
        hits, of_it, of_said = (weights @ flags).T  # whole numbers: exact in any order
        parts = {"precision": (hits, of_said), "recall": (hits, of_it), "f1": (2 * hits, of_it + of_said)}
        shares = {
            kind: np.divide(part, whole, out=np.full(len(weights), np.nan), where=whole > 0)
            for kind, (part, whole) in parts.items()
        }
        found.append(shares | {"roc_auc": RocAuc().resample(there.astype(np.float64), prediction[:, place], weights)})
    return found
