"""How good a model is class by class, the likeliest class of a row being its prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.spec.evaluation import ClassScore

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]


def confusion_matrix(classes: int, truth: Numbers, prediction: Numbers) -> NDArray[np.int64]:
    """(classes, classes) how many rows of each class, one below the other, are predicted as each class."""
    import numpy as np

    pair = truth.astype(np.int64) * classes + prediction.argmax(axis=1)
    found: NDArray[np.int64] = np.bincount(pair, minlength=classes**2).reshape(classes, classes)
    return found


def class_scores(classes: Sequence[str], truth: Numbers, prediction: Numbers) -> tuple[ClassScore, ...]:
    """Each class; none where there are no classes, no rows, or predictions that are not finite."""
    import numpy as np

    from platform_ml.metrics import RocAuc

    if not classes or not len(truth) or not np.isfinite(prediction).all():
        return ()
    matrix = confusion_matrix(len(classes), truth, prediction)
    found = []
    for place, name in enumerate(classes):
        hits, of_it, said = (int(n) for n in (matrix[place, place], matrix[place].sum(), matrix[:, place].sum()))
        area = RocAuc().score((truth == place).astype(np.float64), prediction[:, place])
        found.append(
            ClassScore(
                name=name,
                rows=of_it,
                predicted=tuple(matrix[place].tolist()),
                precision=hits / said if said else None,
                recall=hits / of_it if of_it else None,
                f1=2 * hits / (of_it + said) if of_it + said else None,
                roc_auc=float(area) if np.isfinite(area) else None,
            )
        )
    return tuple(found)
