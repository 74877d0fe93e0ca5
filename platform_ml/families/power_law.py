"""The rule of thumb for sizes: what was measured at one size, carried over to another."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

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
class PowerLaw:
    """`feature` * (`across` / `measured_at`) ** `exponent`: a time over another distance, a load at another size.

    With 1.06 it is Riegel (1981), Athletic records and human endurance, of race times: PowerLaw(feature="best_10k_s",
    across="distance_km", measured_at=10). With 1 it is an even pace: PowerLaw(feature="last_time_s",
    across="distance_km", measured_at="last_distance_km", exponent=1).

    Where the feature or its size is null or not above 0, the training rows stand for it: their mean of
    label / `across` ** `exponent`, at the row's own size. Where `across` itself is, it is their mean label.
    """

    name: ClassVar[str] = "power_law"
    complexity: ClassVar[Complexity] = Complexity.RULE
    tasks: ClassVar[tuple[Task, ...]] = (REGRESSION,)

    feature: str
    across: str
    """The feature that says for which size is predicted."""
    measured_at: str | float
    """The size at which `feature` was measured: a feature, or the same number for all."""
    exponent: float = 1.06

    def __post_init__(self) -> None:
        where = f"PowerLaw of {self.feature!r}"
        if not isinstance(self.measured_at, str) and not 0 < self.measured_at < math.inf:
            raise DeclarationError(f"{where}: measured_at is {self.measured_at}. Use a feature, or a number above 0.")
        if not math.isfinite(self.exponent):
            raise DeclarationError(f"{where}: exponent is {self.exponent}. Use a number.")

    def columns(self) -> tuple[str, ...] | None:
        """What was measured, and both sizes."""
        named = (self.feature, self.across, self.measured_at)
        return tuple(dict.fromkeys(name for name in named if isinstance(name, str)))

    def fit(
        self,
        train: Rows,
        validation: Rows,
        *,
        params: Mapping[str, Any],
        seed: int,
        report: Callable[[int, float], None] | None = None,
    ) -> Carried:
        """Learn what stands for a missing feature, and nothing else."""
        import numpy as np

        check_label(train, "train")
        for name in self.columns() or ():
            check_known_somewhere(column(train.features, name)[:, None], [name])
        scale = _positive(column(train.features, self.across)) ** self.exponent
        known = np.isfinite(scale)
        level = float(np.mean(train.label[known] / scale[known])) if known.any() else 0.0
        return Carried(rule=self, level=level, mean=float(train.label.mean()))

    def load(self, file: Path, features: Sequence[str]) -> Carried:
        """Read the rule back, with what stands for a missing feature."""
        try:
            plain = json.loads(file.read_text(encoding="utf-8"))
            found = Carried(rule=PowerLaw(**plain["rule"]), level=float(plain["level"]), mean=float(plain["mean"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{file} holds no power law ({error!r}). Materialize the model again.") from error
        if found.rule != self:
            raise StoreError(f"{file} is of {found.rule}, not as declared now. Materialize the model again.")
        return found


@dataclass(frozen=True, kw_only=True)
class Carried:
    """The rule, and what stands for a missing feature."""

    rule: PowerLaw
    level: float
    """Mean of label / across ** exponent of the training rows."""
    mean: float
    """Of their labels."""

    def predict(self, rows: pa.Table) -> NDArray[np.float64]:
        """(n,) in the unit of the feature."""
        import numpy as np

        rule, across = self.rule, _positive(column(rows, self.rule.across))
        at = rule.measured_at
        size = _positive(column(rows, at)) if isinstance(at, str) else np.full(rows.num_rows, float(at))
        carried = _positive(column(rows, rule.feature)) * (across / size) ** rule.exponent
        usual = np.nan_to_num(self.level * across**rule.exponent, nan=self.mean)
        return np.where(np.isfinite(carried), carried, usual)

    def save(self, folder: Path) -> Path:
        """Write `model.json`."""
        file = folder / "model.json"
        plain = {"rule": asdict(self.rule), "level": self.level, "mean": self.mean}
        file.write_text(json.dumps(plain, allow_nan=False), encoding="utf-8")
        return file

    def contributions(self, rows: pa.Table) -> NDArray[np.float64] | None:
        """It is a product, of which no part is due to one feature alone."""
        return None


def _positive(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same, with NaN for what is no size."""
    import numpy as np

    return np.where(values > 0, values, np.nan)
