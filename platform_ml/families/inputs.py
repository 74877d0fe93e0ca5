"""What families take: numbers with nulls, and a label of zeros and ones, of numbers, of classes or of relevances."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.errors import RowsError, did_you_mean
from platform_ml.spec.task import CLUSTERING, MULTICLASS, RANKING, REGRESSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.spec.family import Rows


def check_label(rows: Rows, split: str) -> None:
    """Refuse labels that cannot be learned: none at all, all the same, not finite; for a binary one, no 0 or 1."""
    import numpy as np

    found = np.unique(rows.label)
    if not found.size:
        raise RowsError(f"The {split} split has no rows. Widen the dataset's history or its splits.")
    if rows.task is CLUSTERING:
        return
    if rows.task in {REGRESSION, RANKING}:
        _check_numbers(found, len(rows.label), split)
        _check_groups(rows, found, split)
        return
    if rows.task is MULTICLASS:
        _check_classes(rows, found, split)
        return
    if not np.isin(found, (0.0, 1.0)).all():
        odd = found[~np.isin(found, (0.0, 1.0))][0]
        raise RowsError(f"A label of the {split} split is {odd}. A binary label is 0 or 1: declare another outcome.")
    if found.size == 1:
        raise RowsError(
            f"All {len(rows.label):,} labels of the {split} split are {found[0]:.0f}. With one class there is nothing "
            "to tell apart: widen the split."
        )


def _check_numbers(found: NDArray[np.float64], rows: int, split: str) -> None:
    import numpy as np

    if not np.isfinite(found).all():
        odd = found[~np.isfinite(found)][0]
        raise RowsError(f"A label of the {split} split is {odd}. Look at the columns that the outcome is made of.")
    if found.size == 1:
        raise RowsError(
            f"All {rows:,} labels of the {split} split are {found[0]:g}. Of one value there is nothing to learn: "
            "widen the split."
        )


def _check_classes(rows: Rows, found: NDArray[np.float64], split: str) -> None:
    import numpy as np

    known = np.isin(found, np.arange(len(rows.classes)))
    if not known.all():
        raise RowsError(
            f"A label of the {split} split is {found[~known][0]}, which is no place among the {len(rows.classes)} "
            "classes of the training rows."
        )
    if found.size == 1:
        raise RowsError(
            f"All {len(rows.label):,} labels of the {split} split are {rows.classes[int(found[0])]!r}. With one class "
            "there is nothing to tell apart: widen the split."
        )


def _check_groups(rows: Rows, found: NDArray[np.float64], split: str) -> None:
    if rows.task is not RANKING:
        return
    if found[0] < 0:
        raise RowsError(f"A label of the {split} split is {found[0]:g}. A relevance is 0 or more.")
    if rows.group is None or rows.group.shape != rows.label.shape:
        raise RowsError(f"The {split} split does not say which group each row is of. Declare ranked_within.")


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a library is told of rows beside their features; of a ranking in an order of its own."""

    label: NDArray[np.float64]
    weight: NDArray[np.float64] | None
    order: NDArray[np.int64] | None = None
    """(n,) where each row of the library's order is; None: they are as they were."""
    group: NDArray[np.int64] | None = None
    """(n,) in that order, never falling."""

    @property
    def sizes(self) -> NDArray[np.int64] | None:
        """(groups,) how many rows each has."""
        import numpy as np

        return None if self.group is None else np.unique(self.group, return_counts=True)[1]

    @property
    def group_weight(self) -> NDArray[np.float64] | None:
        """(groups,) the mean weight of its rows."""
        import numpy as np

        if self.weight is None or self.sizes is None:
            return None
        starts = np.append(0, np.cumsum(self.sizes)[:-1])
        mean: NDArray[np.float64] = np.add.reduceat(self.weight, starts) / self.sizes
        return mean

    def arranged(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """The encoded rows in this order."""
        return values if self.order is None else values[self.order]


def told(rows: Rows, values: NDArray[np.float32]) -> Told:
    """Labels and weights; those of a ranking group by group, and in a group by what the rows are.

    A library that ranks sorts rows of equal scores by their place, so that their order would be learned, too.
    """
    import numpy as np

    weight = weights(rows)
    if rows.task is not RANKING or rows.group is None:
        return Told(label=rows.label, weight=weight)
    same = np.ascontiguousarray(values).view(f"S{values.itemsize * values.shape[1]}").ravel()
    order = np.lexsort((rows.label, same, rows.group))
    return Told(
        label=rows.label[order],
        weight=None if weight is None else weight[order],
        order=order,
        group=rows.group[order],
    )


def nothing(classes: Sequence[str]) -> NDArray[np.float64]:
    """The predictions of no rows."""
    import numpy as np

    return np.empty((0, len(classes)) if classes else 0)


def weights(rows: Rows) -> NDArray[np.float64] | None:
    """(n,) how much each row counts; None when all count the same, for which libraries take other ways."""
    weight = rows.weight
    return None if weight is None or bool((weight == weight[0]).all()) else weight


def column(rows: pa.Table, name: str) -> NDArray[np.float64]:
    """(n,) the feature's values, NaN where null; `RowsError` when they are no finite numbers."""
    import numpy as np

    values = _numbers(rows, name)
    if np.isinf(values).any():
        raise RowsError(f"Feature {name!r} has infinite values. Look for a division by zero, and make it null.")
    return values


def matrix(rows: pa.Table, features: Sequence[str]) -> NDArray[np.float32]:
    """(n, len(features)) in this order, whatever the order and the other columns of `rows`; NaN where null."""
    import numpy as np

    numbers = np.empty((rows.num_rows, len(features)), np.float32)
    with np.errstate(over="ignore"):
        for place, name in enumerate(features):
            numbers[:, place] = _numbers(rows, name)
    if np.isinf(numbers).any():
        for place, name in enumerate(features):
            column(rows, name)
            if np.isinf(numbers[:, place]).any():
                raise RowsError(f"Feature {name!r} has values beyond 3.4e38, the greatest a model takes. Scale it.")
    return numbers


def check_known_somewhere(values: NDArray[np.floating], features: Sequence[str]) -> None:
    """Refuse a feature without a single value in the training rows: a model would ignore it without a word."""
    import numpy as np

    for name, nothing in zip(features, np.isnan(values).all(axis=0), strict=True):
        _check_known(name, len(values), nothing=bool(nothing))


def check_columns_known_somewhere(rows: pa.Table) -> None:
    """The same of training rows as they are stored."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for name, values in zip(rows.column_names, rows.columns, strict=True):
        nothing = values.null_count == len(values)
        if not nothing and pa.types.is_floating(values.type):
            nothing = math.isnan(pc.min(values).as_py())  # of anything else than NaN there is a least one
        _check_known(name, len(values), nothing=nothing)


def _check_known(name: str, rows: int, *, nothing: bool) -> None:
    if nothing:
        raise RowsError(f"Feature {name!r} is null in all {rows:,} training rows. Look at its source, or drop it.")


def _numbers(rows: pa.Table, name: str) -> NDArray[np.float64]:
    import pyarrow as pa

    try:
        found = rows[name]
    except KeyError:
        near = did_you_mean(name, rows.column_names)
        raise RowsError(f"The rows have no feature {name!r}, or more than one.{near}") from None
    kind = found.type
    if kind != pa.float64():
        is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
        if pa.types.is_list(kind):
            raise RowsError(
                f"Feature {name!r} is {kind}. Recurrent and Convolutional read lists: use one, drop it, or use "
                "LeavingOut(...)."
            )
        if not (is_number or pa.types.is_boolean(kind) or pa.types.is_null(kind)):
            raise RowsError(f"Feature {name!r} is {kind}. A model takes numbers and booleans: derive one from it.")
        found = found.cast("double", safe=False)  # a large whole number may lose digits that no model needs
    values: NDArray[np.float64] = found.to_numpy()
    return values
