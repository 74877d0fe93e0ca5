"""Numbers on one scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from platform_ml.preparations.columns import changed, check_of, known
from platform_ml.spec.errors import DeclarationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from platform_ml.spec.preparation import State

WAYS = {
    "standard": "the mean becomes 0, the standard deviation 1",
    "robust": "the median becomes 0, the distance between the quartiles 1",
    "range": "the least becomes 0, the greatest 1",
}


@dataclass(frozen=True, kw_only=True)
class Scale:
    """A number loses a middle and is divided by a spread of the training rows; one that never varies becomes 0."""

    name: ClassVar[str] = "scale"
    helpers: ClassVar[tuple[str, ...]] = ()

    of: tuple[str, ...]
    by: Literal["standard", "robust", "range"] = "standard"

    def __post_init__(self) -> None:
        check_of("Scale", self.of)
        if self.by not in WAYS:
            raise DeclarationError(f"Scale: by={self.by!r} is not one of {', '.join(WAYS)}.")

    @property
    def rule(self) -> str:
        """As a sentence."""
        return f"{', '.join(self.of)}: scaled, so that of the training rows {WAYS[self.by]}."

    def fit(self, train: pa.Table) -> State:
        """Feature → what is taken away, and what it is divided by."""
        import numpy as np

        found = {}
        for name in self.of:
            values = known(train, name, "Scale")
            if self.by == "standard":
                middle, spread = values.mean(), values.std()
            elif self.by == "robust":
                middle, spread = np.median(values), np.subtract(*np.quantile(values, (0.75, 0.25)))
            else:
                middle, spread = values.min(), values.max() - values.min()
            found[name] = [float(middle), float(spread) or 1.0]
        return found

    def apply(self, rows: pa.Table, state: Mapping[str, Any]) -> pa.Table:
        """Take away, then divide."""
        return changed(rows, self.of, "Scale", lambda name, values: (values - state[name][0]) / state[name][1])
