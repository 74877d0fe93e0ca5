"""The naive forecast: it will be as it was."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from platform_ml.families.inputs import check_known_somewhere, check_label, column
from platform_ml.spec.complexity import Complexity
from platform_ml.spec.errors import DeclarationError, StoreError
from platform_ml.spec.task import REGRESSION, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.spec.family import Rows


@dataclass(frozen=True, kw_only=True)
class Persistence:
    """A feature is the prediction: what was measured over the last period will be measured over the next one.

    Hardly anything is learned; the persistence forecast of Murphy (1992), Climatology, persistence, and their linear
    combination as standards of reference in skill scores.
    """

    name: ClassVar[str] = "persistence"
    complexity: ClassVar[Complexity] = Complexity.RULE
    tasks: ClassVar[tuple[Task, ...]] = (REGRESSION,)

    feature: str
    missing: float | Literal["mean"] = 0.0
    """What is predicted where the feature is null: a number, or the mean label of the training rows."""

    def __post_init__(self) -> None:
        missing = self.missing
        if missing != "mean" if isinstance(missing, str) else not math.isfinite(missing):
            raise DeclarationError(f"Persistence of {self.feature!r}: missing is {missing}. Use a number, or 'mean'.")

    def columns(self) -> tuple[str, ...] | None:
        """The one feature."""
        return (self.feature,)

    def fit(
        self,
        train: Rows,
        validation: Rows,
        *,
        params: Mapping[str, Any],
        seed: int,
        report: Callable[[int, float], None] | None = None,
    ) -> Again:
        """Look at the rows, and learn nothing of them but what stands for a missing feature."""
        check_label(train, "train")
        check_known_somewhere(column(train.features, self.feature)[:, None], [self.feature])
        missing = float(train.label.mean()) if isinstance(self.missing, str) else self.missing
        return Again(feature=self.feature, missing=missing)

    def load(self, file: Path, features: Sequence[str]) -> Again:
        """Read back which feature it is."""
        try:
            plain = json.loads(file.read_text(encoding="utf-8"))
            found = Again(feature=plain["feature"], missing=float(plain["missing"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{file} names no feature ({error!r}). Materialize the model again.") from error
        if found.feature != self.feature or self.missing not in {"mean", found.missing}:
            raise StoreError(f"{file} repeats {found.feature!r}, not as declared now. Materialize the model again.")
        return found


@dataclass(frozen=True, kw_only=True)
class Again:
    """A feature as the prediction."""

    feature: str
    missing: float

    def predict(self, rows: pa.Table) -> NDArray[np.float64]:
        """(n,) the feature's values."""
        import numpy as np

        return np.nan_to_num(column(rows, self.feature), nan=self.missing)

    def save(self, folder: Path) -> Path:
        """Write `model.json`."""
        file = folder / "model.json"
        plain = {"feature": self.feature, "missing": self.missing}
        file.write_text(json.dumps(plain, allow_nan=False), encoding="utf-8")
        return file

    def contributions(self, rows: pa.Table) -> NDArray[np.float64] | None:
        """All of it is due to the one feature, so there is nothing to divide."""
        return None
