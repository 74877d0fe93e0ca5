"""What the naive families have in common: the mean label, for every row."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.families.inputs import check_label
from platform_ml.spec.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.spec.family import Predictor, Rows


@dataclass(frozen=True, kw_only=True)
class MeanLabel:
    """The mean label of the training rows, for every row; of yes and no it is the share of yes."""

    called: ClassVar[str]
    """What the number is, for people."""
    written: ClassVar[str]
    """What it is called in the file."""

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
    ) -> Predictor:
        """Take the mean of `train`."""
        check_label(train, "train")
        return Constant(written=self.written, value=float(train.label.mean()))

    def load(self, file: Path, features: Sequence[str]) -> Predictor:
        """Read the number back."""
        try:
            value = float(json.loads(file.read_text(encoding="utf-8"))[self.written])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{file} holds no {self.called} ({error!r}). Materialize the model again.") from error
        return Constant(written=self.written, value=value)


@dataclass(frozen=True, kw_only=True)
class Constant:
    """One number."""

    written: str
    value: float

    def predict(self, rows: pa.Table) -> NDArray[np.float64]:
        """(n,) the same number for all."""
        import numpy as np

        return np.full(rows.num_rows, self.value)

    def save(self, folder: Path) -> Path:
        """Write `model.json`."""
        file = folder / "model.json"
        file.write_text(json.dumps({self.written: self.value}, allow_nan=False), encoding="utf-8")
        return file

    def contributions(self, rows: pa.Table) -> NDArray[np.float64] | None:
        """No feature moves it."""
        return None
