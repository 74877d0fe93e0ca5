"""Numbers beyond what is usual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.preparations.columns import changed, check_of, known
from platform_ml.spec.errors import DeclarationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from platform_ml.spec.preparation import State


@dataclass(frozen=True, kw_only=True)
class Clip:
    """A number below or above the given quantiles of the training rows becomes that quantile; null stays null."""

    name: ClassVar[str] = "clip"
    helpers: ClassVar[tuple[str, ...]] = ()

    of: tuple[str, ...]
    low: float = 0.01
    high: float = 0.99

    def __post_init__(self) -> None:
        check_of("Clip", self.of)
        if not 0 <= self.low < self.high <= 1:
            raise DeclarationError(f"Clip: low={self.low} and high={self.high} are shares with 0 <= low < high <= 1.")

    @property
    def rule(self) -> str:
        """As a sentence."""
        return f"{', '.join(self.of)}: clipped at the {self.low:g} and {self.high:g} quantiles."

    def fit(self, train: pa.Table) -> State:
        """Feature → both quantiles."""
        import numpy as np

        return {name: np.quantile(known(train, name, "Clip"), (self.low, self.high)).tolist() for name in self.of}

    def apply(self, rows: pa.Table, state: Mapping[str, Any]) -> pa.Table:
        """Cut off what is beyond."""
        import numpy as np

        return changed(rows, self.of, "Clip", lambda name, values: np.clip(values, *state[name]))
