"""A family that is shown some of the features only, so that families of different tastes compete on one dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.families.columns import EveryColumn
from platform_ml.families.narrowed import Narrowed
from platform_ml.spec.complexity import Complexity, complexity_of
from platform_ml.spec.errors import DeclarationError, RowsError, did_you_mean
from platform_ml.spec.space import settings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.spec.family import Family, Rows
    from platform_ml.spec.task import Task


@dataclass(frozen=True, kw_only=True)
class LeavingOut(EveryColumn):
    """A family without some of the features: XGBoost without the lists that a rival, a network, reads.

    LeavingOut(family=XGBoost(), features=("distance_of_last_50", "days_ago_of_last_50")). Its ranges are searched as
    `family.max_depth`.
    """

    name: ClassVar[str] = "leaving_out"

    family: Family
    features: tuple[str, ...]
    """What it does not see."""

    def __post_init__(self) -> None:
        if not self.features:
            raise DeclarationError(f"LeavingOut of {self.family.name!r} leaves nothing out. Use the family as it is.")
        if self.family.columns() is not None:
            raise DeclarationError(f"LeavingOut: family {self.family.name!r} says itself which features it uses.")

    @property
    def tasks(self) -> Collection[Task]:
        """As the family itself."""
        return self.family.tasks

    @property
    def complexity(self) -> Complexity:
        """As the family itself."""
        return complexity_of(self.family)

    def fit(
        self,
        train: Rows,
        validation: Rows,
        *,
        params: Mapping[str, Any],
        seed: int,
        report: Callable[[int, float], None] | None = None,
    ) -> Narrowed:
        """Fit the family on the features that are left."""
        names = train.features.column_names
        for name in self.features:
            if name not in names:
                raise RowsError(f"LeavingOut: there is no feature {name!r} to leave out.{did_you_mean(name, names)}")
        kept = self._kept(names)
        inner = self.family.fit(
            Fewer(rows=train, kept=kept),
            Fewer(rows=validation, kept=kept),
            params=settings_of("family", params),
            seed=seed,
            report=report,
        )
        return Narrowed(kept=kept, predictor=inner)

    def load(self, file: Path, features: Sequence[str]) -> Narrowed:
        """Read the family's own file."""
        kept = self._kept(features)
        return Narrowed(kept=kept, predictor=self.family.load(file, kept))

    def _kept(self, names: Sequence[str]) -> tuple[str, ...]:
        return tuple(name for name in names if name not in self.features)


class Fewer:
    """The same rows with some of the features, and with matrices of their own."""

    def __init__(self, *, rows: Rows, kept: tuple[str, ...]) -> None:
        self._rows = rows
        self.features: pa.Table = rows.features.select(list(kept))
        self.cache: dict[str, Any] = rows.cache.setdefault(f"leaving_out/{'/'.join(kept)}", {})

    @property
    def label(self) -> NDArray[np.float64]:
        """As the rows have it."""
        return self._rows.label

    @property
    def task(self) -> Task:
        """As the rows have it."""
        return self._rows.task

    @property
    def weight(self) -> NDArray[np.float64] | None:
        """As the rows have it."""
        return self._rows.weight

    @property
    def entity(self) -> NDArray[np.int64]:
        """As the rows have it."""
        return self._rows.entity

    @property
    def classes(self) -> tuple[str, ...]:
        """As the rows have them."""
        return self._rows.classes

    @property
    def group(self) -> NDArray[np.int64] | None:
        """As the rows have it."""
        return self._rows.group
