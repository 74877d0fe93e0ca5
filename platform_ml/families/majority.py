"""The naive prediction: everybody is like the average."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.families.inputs import check_label
from platform_ml.spec.errors import StoreError
from platform_ml.spec.task import BINARY, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.spec.tuned_model import Rows


@dataclass(frozen=True, kw_only=True)
class Majority:
    """The share of positives in the training rows, for every row."""

    name: ClassVar[str] = "majority"
    tasks: ClassVar[tuple[Task, ...]] = (BINARY,)

    def columns(self) -> tuple[str, ...] | None:
        """None at all."""
        return ()

    def fit(
        self,
        train: Rows,
        validation: Rows,
        *,
        params: Mapping[str, Any],
        seed: int,
        report: Callable[[int, float], None] | None = None,
    ) -> BaseRate:
        """Count the positives of `train`."""
        check_label(train, "train")
        return BaseRate(rate=float(train.label.mean()))

    def load(self, file: Path, features: Sequence[str]) -> BaseRate:
        """Read the number back."""
        try:
            return BaseRate(rate=float(json.loads(file.read_text(encoding="utf-8"))["rate"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{file} holds no base rate ({error!r}). Materialize the model again.") from error


@dataclass(frozen=True, kw_only=True)
class BaseRate:
    """A share of positives."""

    rate: float

    def predict(self, rows: pa.Table) -> NDArray[np.float64]:
        """(n,) the same probability for all."""
        import numpy as np

        return np.full(rows.num_rows, self.rate)

    def save(self, folder: Path) -> Path:
        """Write `model.json`."""
        file = folder / "model.json"
        file.write_text(json.dumps({"rate": self.rate}, allow_nan=False), encoding="utf-8")
        return file

    def contributions(self, rows: pa.Table) -> NDArray[np.float64] | None:
        """No feature moves it."""
        return None
