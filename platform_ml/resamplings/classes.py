"""What resamplings have in common: labels with classes, and how many rows each class has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.task import Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TASKS = tuple(task for task in Task if task in {"binary", "multiclass"})
"""Labels with classes."""


def check_share(kind: str, to_share: float) -> None:
    """Refuse a share that is none."""
    if not 0 < to_share <= 1:
        raise DeclarationError(f"{kind}: to_share={to_share} has to be above 0, and 1 at most: 1 makes classes equal.")


def of_classes(label: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    """For each class, the smallest label first, the places of its rows."""
    import numpy as np

    return [np.flatnonzero(label == one) for one in np.unique(label)]


def in_order(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """All places, increasing: rows keep the order of the dataset."""
    import numpy as np

    return np.sort(np.concatenate(parts)) if parts else np.empty(0, np.int64)
