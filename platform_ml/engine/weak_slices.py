"""Where a model errs most: a small tree on the errors of the validation rows, as rules that hold on other rows too."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from platform_ml.engine.slicing import numbers
from platform_ml.spec.task import BINARY, MULTICLASS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.engine.rows import SplitRows
    from platform_ml.spec.slicing import WeakSlices
    from platform_ml.spec.task import Task

    Numbers = NDArray[np.float64]
    Flags = NDArray[np.bool_]

MOST_VALUES = 12
"""Values of a column that a rule may name, the most frequent ones."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """What a rule says of one column: a range of numbers, one value, or which values it is not."""

    above: float = -math.inf
    most: float = math.inf
    missing: bool = False
    """Whether rows without a value are in."""
    value: str | None = None
    others: tuple[str, ...] = ()

    def holds(self, column: pa.ChunkedArray) -> Flags:
        """Which rows it is true of."""
        import numpy as np

        if self.value is not None or self.others:
            shown = texts(column)
            return shown == self.value if self.value is not None else ~np.isin(shown, self.others)
        values = numbers(column)
        within: Flags = np.where(np.isnan(values), self.missing, (values > self.above) & (values <= self.most))
        return within

    def said(self, name: str) -> str:
        """As a reader would say it."""
        if self.value is not None:
            return f"{name} = {self.value}"
        if self.others:
            return f"{name} not {', '.join(self.others)}"
        low, high = math.isfinite(self.above), math.isfinite(self.most)
        if not (low or high):
            return f"{name} {'is' if self.missing else 'is not'} missing"
        ends = [f"above {self.above:g}"] * low + [f"at most {self.most:g}"] * high
        return f"{name} {' and '.join(ends)}{' or missing' if self.missing else ''}"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Conditions on columns, all of which hold."""

    sides: Mapping[str, Side] = field(default_factory=dict)

    def __str__(self) -> str:
        return ", ".join(side.said(name) for name, side in self.sides.items())

    def rows(self, rows: SplitRows) -> NDArray[np.int64]:
        """Those that it is true of."""
        import numpy as np

        found = np.ones(len(rows.label), dtype=bool)
        for name, side in self.sides.items():
            found &= side.holds(_column(rows, name))
        return np.flatnonzero(found)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One column of what the tree sees: a number, or whether a column has a value."""

    name: str
    values: Numbers
    value: str | None = None

    def narrowed(self, side: Side, *, left: bool, at: float, missing: bool) -> Side:
        """What is said of its column after one more split; the left side is at most the threshold."""
        if self.value is not None:
            return replace(side, others=(*side.others, self.value)) if left else replace(side, value=self.value)
        at = float(f"{at:g}")  # as it is shown
        return replace(
            side,
            above=side.above if left else max(side.above, at),
            most=min(side.most, at) if left else side.most,
            missing=side.missing and missing,
        )

    @property
    def start(self) -> Side:
        """What is said before the first split."""
        import numpy as np

        return Side(missing=bool(np.isnan(self.values).any()))


def weak_rules(declared: WeakSlices, rows: SplitRows, prediction: Numbers) -> list[Rule]:
    """The leaves whose mean error is greater than that of all validation rows, the worst first."""
    import numpy as np

    errors = row_errors(rows.task, rows.label, prediction)
    asked = _asked(rows)
    if errors is None or len(errors) < 2 * declared.leaf_rows or not asked or errors.min() == errors.max():
        return []
    from sklearn.tree import DecisionTreeRegressor

    tree = DecisionTreeRegressor(max_depth=declared.depth, min_samples_leaf=declared.leaf_rows, random_state=0)
    found = tree.fit(np.column_stack([one.values for one in asked]), errors).tree_
    means, everywhere = found.value[:, 0, 0], float(errors.mean())
    leaves = [(float(means[node]), rule) for node, rule in _leaves(found, asked) if means[node] > everywhere]
    return [rule for _, rule in sorted(leaves, key=lambda leaf: (-leaf[0], str(leaf[1])))][: declared.most]


def row_errors(task: Task, truth: Numbers, prediction: Numbers) -> Numbers | None:
    """(n,) squared error of a probability, missing probability of the right class, or distance; None: not defined."""
    import numpy as np

    if not len(truth) or not np.isfinite(prediction).all():
        return None
    if task is MULTICLASS:
        missing: Numbers = 1 - prediction[np.arange(len(truth)), truth.astype(np.int64)]
        return missing
    if task is BINARY:
        return (prediction - truth) ** 2 if ((prediction >= 0) & (prediction <= 1)).all() else None
    return np.abs(prediction - truth)


def _leaves(tree: object, asked: Sequence[Asked]) -> list[tuple[int, Rule]]:
    """Each leaf with the conditions on the way to it."""
    left, right, threshold, feature, missing_left = (
        getattr(tree, name).tolist()
        for name in ("children_left", "children_right", "threshold", "feature", "missing_go_to_left")
    )
    found, open_nodes = list[tuple[int, Rule]](), [(0, Rule())]
    while open_nodes:
        node, rule = open_nodes.pop()
        if left[node] == right[node]:
            found.append((node, rule))
            continue
        one = asked[feature[node]]
        for child, is_left in ((left[node], True), (right[node], False)):
            side = rule.sides.get(one.name, one.start)
            missing = bool(missing_left[node]) == is_left
            narrowed = one.narrowed(side, left=is_left, at=threshold[node], missing=missing)
            open_nodes.append((child, Rule(sides={**rule.sides, one.name: narrowed})))
    return found


def _asked(rows: SplitRows) -> list[Asked]:
    """Numbers as they are, and the most frequent values of the others; times and lists are not asked about."""
    import numpy as np
    import pyarrow as pa

    found = []
    for name in [*rows.helpers.column_names, *rows.features.column_names]:
        column = _column(rows, name)
        kind = column.type
        if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            values = numbers(column)
            found.append(Asked(name=name, values=np.where(np.isfinite(values), values, np.nan)))
        elif not (pa.types.is_temporal(kind) or pa.types.is_nested(kind)):
            shown = texts(column)
            known, counts = np.unique(shown, return_counts=True)
            frequent = known[np.lexsort((known, -counts))][:MOST_VALUES] if len(known) > 1 else known[:0]
            found += [Asked(name=name, value=str(one), values=(shown == one).astype(np.float64)) for one in frequent]
    return found


def texts(column: pa.ChunkedArray) -> NDArray[np.str_]:
    """(n,) values as slices show them."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from platform_ml.engine.slicing import MISSING

    return np.asarray(pc.fill_null(column.cast(pa.string()), MISSING).to_pylist(), dtype=np.str_)


def _column(rows: SplitRows, name: str) -> pa.ChunkedArray:
    table = rows.helpers if name in rows.helpers.column_names else rows.features
    return table.column(name)
