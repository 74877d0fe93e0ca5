"""Features that no longer tell groups of people apart, as far as a weighted sum can see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.preparations.columns import check_of, found, known, numbers
from platform_ml.spec.errors import DeclarationError, RowsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.spec.preparation import State

    Numbers = NDArray[np.float64]

NOTHING = 1e-9
"""Beside the greatest, what is as small as this is rounding."""


@dataclass(frozen=True, kw_only=True)
class Erase:
    """Numbers are moved as little as possible so that on training rows their means are the same in every group.

    Then no weighted sum of them says anything of the group: Belrose et al. (2023), LEACE: Perfect linear concept
    erasure in closed form, theorem 4.3. The group is looked at in training alone. A null counts as the mean. Trees see
    more than sums do: before them this promises nothing, so use it before a `Linear`.
    """

    name: ClassVar[str] = "erase"

    of: tuple[str, ...]
    group: str
    """A helper column of the view: it is never a feature."""

    def __post_init__(self) -> None:
        check_of("Erase", self.of)
        if self.group in self.of:
            raise DeclarationError(f"Erase: group {self.group!r} is among the features. Make it a helper of the view.")

    @property
    def helpers(self) -> tuple[str, ...]:
        """The group."""
        return (self.group,)

    @property
    def rule(self) -> str:
        """As a sentence."""
        return (
            f"{', '.join(self.of)}: moved as little as possible so that no weighted sum of them tells groups by "
            f"{self.group} apart (LEACE); learned from training rows, and {self.group} is not needed to predict."
        )

    def fit(self, train: pa.Table) -> State:
        """The means, and for each direction that tells groups apart: how it is measured, and what each number loses."""
        import numpy as np

        means = np.array([known(train, name, "Erase").mean() for name in self.of])
        values = _centred(train, self.of, means)
        spread = values.std(axis=0)
        spread[spread == 0] = 1.0
        measured, lost = _directions(values / spread, _members(train, self.group))
        return {
            "mean": means.tolist(),
            "measured": (measured / spread).tolist(),
            "lost": (lost * spread).tolist(),
        }

    def apply(self, rows: pa.Table, state: Mapping[str, Any]) -> pa.Table:
        """Take away what lies in those directions."""
        import pyarrow as pa

        values = _centred(rows, self.of, state["mean"])
        moved = values + state["mean"]
        for measured, lost in zip(state["measured"], state["lost"], strict=True):
            # A product of matrices sums in another order for one row.
            along = sum(values[:, place] * weight for place, weight in enumerate(measured))
            for place, weight in enumerate(lost):
                moved[:, place] -= along * weight
        for place, name in enumerate(self.of):
            rows = rows.set_column(rows.column_names.index(name), name, pa.array(moved[:, place]))
        return rows


def _centred(rows: pa.Table, names: tuple[str, ...], means: Any) -> Numbers:
    """(n, features) without their means; 0 where null."""
    import numpy as np

    columns = [numbers(rows, name, "Erase") - mean for name, mean in zip(names, means, strict=True)]
    values: Numbers = np.nan_to_num(np.column_stack(columns), nan=0.0)
    return values


def _members(train: pa.Table, group: str) -> Numbers:
    """(n, groups) 1 where a row is of the group, without the share of the group; null is one of its own."""
    import numpy as np
    import pyarrow as pa

    codes = found(train, group).cast(pa.string()).combine_chunks().dictionary_encode(null_encoding="encode").indices
    member = np.eye(max(codes.to_pylist(), default=0) + 1)[codes.to_numpy()]
    if member.shape[1] < 2:  # noqa: PLR2004 - one group is told apart from no other
        raise RowsError(f"Erase finds one group by {group!r} in all {train.num_rows:,} training rows. Drop it.")
    return np.asarray(member - member.mean(axis=0), dtype=np.float64)


def _directions(values: Numbers, member: Numbers) -> tuple[Numbers, Numbers]:
    """(k, features) twice: what measures each direction in which groups differ, and what it takes from each number."""
    import numpy as np

    count = len(values)
    variance, axes = np.linalg.eigh(values.T @ values / count)
    real = variance > NOTHING * variance.max()
    axes, root = axes[:, real], np.sqrt(variance[real])
    white, colour = (axes / root) @ axes.T, (axes * root) @ axes.T
    unit, size, _ = np.linalg.svd(white @ (values.T @ member / count), full_matrices=False)
    unit = unit[:, size > NOTHING]
    return unit.T @ white, (colour @ unit).T
