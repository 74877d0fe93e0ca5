"""The naive prediction: everybody is like the average."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.families.constant import MeanLabel
from platform_ml.families.inputs import check_label
from platform_ml.spec.complexity import Complexity
from platform_ml.spec.errors import StoreError
from platform_ml.spec.task import BINARY, MULTICLASS, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.spec.family import Predictor, Rows


@dataclass(frozen=True, kw_only=True)
class Majority(MeanLabel):
    """The share of positives in the training rows, or of each class, for every row."""

    name: ClassVar[str] = "majority"
    complexity: ClassVar[Complexity] = Complexity.RULE
    tasks: ClassVar[tuple[Task, ...]] = (BINARY, MULTICLASS)
    called: ClassVar[str] = "base rate"
    written: ClassVar[str] = "rate"

    def fit(
        self,
        train: Rows,
        validation: Rows,
        *,
        params: Mapping[str, Any],
        seed: int,
        report: Callable[[int, float], None] | None = None,
    ) -> Predictor:
        """Count the labels of `train`."""
        import numpy as np

        if train.task is not MULTICLASS:
            return super().fit(train, validation, params=params, seed=seed, report=report)
        check_label(train, "train")
        counts = np.bincount(train.label.astype(np.int64), minlength=len(train.classes))
        return Shares(classes=train.classes, shares=tuple((counts / counts.sum()).tolist()))

    def load(self, file: Path, features: Sequence[str]) -> Predictor:
        """Read the share or the shares back."""
        try:
            plain = json.loads(file.read_text(encoding="utf-8"))
            if "shares" not in plain:
                return super().load(file, features)
            shares = tuple(float(share) for share in plain["shares"])
            return Shares(classes=tuple(plain["classes"]), shares=shares)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{file} holds no {self.called} ({error!r}). Materialize the model again.") from error


@dataclass(frozen=True, kw_only=True)
class Shares:
    """The share of each class."""

    classes: tuple[str, ...]
    shares: tuple[float, ...]

    def predict(self, rows: pa.Table) -> NDArray[np.float64]:
        """(n, classes) the same for all."""
        import numpy as np

        return np.tile(np.asarray(self.shares), (rows.num_rows, 1))

    def save(self, folder: Path) -> Path:
        """Write `model.json`."""
        file = folder / "model.json"
        plain = {"classes": self.classes, "shares": self.shares}
        file.write_text(json.dumps(plain, allow_nan=False), encoding="utf-8")
        return file

    def contributions(self, rows: pa.Table) -> NDArray[np.float64] | None:
        """No feature moves it."""
        return None
