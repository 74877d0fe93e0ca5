"""Numbers that are not known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from platform_ml.preparations.columns import changed, check_of, known, numbers
from platform_ml.spec.errors import DeclarationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from platform_ml.spec.preparation import State

WAYS = ("median", "mean")


@dataclass(frozen=True, kw_only=True)
class Impute:
    """A null becomes the median or mean of the training rows, or the number that is given."""

    name: ClassVar[str] = "impute"
    helpers: ClassVar[tuple[str, ...]] = ()

    of: tuple[str, ...]
    by: Literal["median", "mean"] | float = "median"

    def __post_init__(self) -> None:
        check_of("Impute", self.of)
        if isinstance(self.by, str) and self.by not in WAYS:
            raise DeclarationError(f"Impute: by={self.by!r} is neither 'median' nor 'mean' nor a number.")

    @property
    def rule(self) -> str:
        """As a sentence."""
        how = f"by the {self.by} of the training rows" if isinstance(self.by, str) else f"by {self.by:g}"
        return f"{', '.join(self.of)}: nulls filled {how}."

    def fit(self, train: pa.Table) -> State:
        """Feature → what fills it."""
        import numpy as np

        if not isinstance(self.by, str):
            for name in self.of:
                numbers(train, name, "Impute")
            return dict.fromkeys(self.of, float(self.by))
        middle = np.median if self.by == "median" else np.mean
        return {name: float(middle(known(train, name, "Impute"))) for name in self.of}

    def apply(self, rows: pa.Table, state: Mapping[str, Any]) -> pa.Table:
        """Fill the nulls."""
        import numpy as np

        return changed(rows, self.of, "Impute", lambda name, values: np.where(np.isnan(values), state[name], values))
