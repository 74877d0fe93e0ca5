"""Training rows as numbers that a ranking is computed from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from platform_ml.spec.errors import RowsError
from platform_ml.spec.selection import Ranked, Ranking

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.spec.family import Rows
    from platform_ml.spec.task import Task

OF_NUMBERS = {"regression", "ranking"}
"""Tasks whose labels are amounts; those of others are classes."""


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Features in their order; a text is the place of its level, the most frequent level first."""

    names: tuple[str, ...]
    values: NDArray[np.float64]
    """(n, features); NaN where null."""
    categories: NDArray[np.bool_]
    """(features,) which of them were texts."""
    label: NDArray[np.float64]
    """(n,) a number, or the place of the class among the classes."""
    task: Task
    weight: NDArray[np.float64] | None

    @classmethod
    def of(cls, train: Rows, *, most: int | None = None) -> Columns:
        """The rows; of more than `most` so many, evenly over the split."""
        import numpy as np

        features, label, weight = train.features, train.label, train.weight
        if most is not None and len(label) > most:
            some = np.unique(np.linspace(0, len(label) - 1, most).astype(np.int64))
            features, label = features.take(some), label[some]
            weight = None if weight is None else weight[some]
        columns = [_column(features, name) for name in features.column_names]
        return cls(
            names=tuple(features.column_names),
            values=np.column_stack([values for values, _ in columns]),
            categories=np.array([text for _, text in columns]),
            label=label if train.task in OF_NUMBERS else np.unique(label, return_inverse=True)[1].astype(np.float64),
            task=train.task,
            weight=weight,
        )

    @property
    def of_numbers(self) -> bool:
        """Whether the label is a number; else it has classes."""
        return self.task in OF_NUMBERS

    @property
    def classes(self) -> int:
        """How many the label has."""
        return int(self.label.max()) + 1


def ranking(
    method: str,
    scores: Mapping[str, float],
    reasons: Mapping[str, str],
    *,
    drop: Mapping[str, str] | None = None,
) -> Ranking:
    """By score; of equal scores what stood first stays first, and what is dropped comes last."""
    import math

    gone = drop or {}
    found = [
        Ranked(
            feature=name,
            score=float(score) if math.isfinite(score) else 0.0,
            reason=gone.get(name) or reasons[name],
            drop=name in gone,
        )
        for name, score in scores.items()
    ]
    return Ranking(features=tuple(sorted(found, key=lambda one: (one.drop, -one.score))), method=method)


def shares(names: Sequence[str], values: NDArray[np.float64]) -> dict[str, float]:
    """Feature → its share of the sum; 0 for all where there is nothing to share."""
    total = float(values.sum())
    return dict(zip(names, (values / total if total > 0 else values * 0.0).tolist(), strict=True))


def named(found: Ranking, note: str) -> Ranking:
    """The same ranking with one more note, before the others."""
    return replace(found, notes=(note, *found.notes))


def _column(features: pa.Table, name: str) -> tuple[NDArray[np.float64], bool]:
    import numpy as np
    import pyarrow as pa

    column = features[name]
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return _places(column.cast("string")), True
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if not (is_number or pa.types.is_boolean(kind)):
        raise RowsError(f"Feature {name!r} is {kind}. A model takes numbers, booleans and texts: derive one from it.")
    values: NDArray[np.float64] = column.cast("double", safe=False).to_numpy().astype(np.float64)
    if np.isinf(values).any():
        raise RowsError(f"Feature {name!r} has infinite values. Look for a division by zero, and make it null.")
    return values, False


def _places(texts: pa.ChunkedArray) -> NDArray[np.float64]:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    counted = texts.drop_null().value_counts().to_pylist()
    levels = [one["values"] for one in sorted(counted, key=lambda one: (-one["counts"], one["values"]))]
    places = pc.index_in(texts, value_set=pa.array(levels, "string"))
    found: NDArray[np.float64] = places.cast("double").to_numpy().astype(np.float64)
    return found
