"""As many rows as ever."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from platform_ml.checks.history import TOLERANCE, judged_rows
from platform_ml.spec.check import DataCheck, Judgement
from platform_ml.spec.errors import DeclarationError

if TYPE_CHECKING:
    from platform_ml.spec.check import Seen


@dataclass(frozen=True)
class Volume(DataCheck):
    """About as many rows as in the partitions before: neither cut off nor doubled, and weekends are compared alike."""

    partitions: int = field(default=56, kw_only=True)
    """How many earlier ones are looked at."""
    tolerance: float = field(default=TOLERANCE, kw_only=True)
    """The share of the usual number that rows may always be away from it."""
    blocking: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        if self.partitions < 1 or not 0 < self.tolerance < 1:
            raise DeclarationError(
                f"Volume: partitions={self.partitions} is 1 or more, tolerance={self.tolerance} between 0 and 1."
            )

    @property
    def name(self) -> str:
        """Beside `volume`, which compares with `expected_rows` where a source declares them."""
        return "volume_as_before"

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        return f"About as many rows as in the {self.partitions} partitions before, weekday by weekday."

    @property
    def looks_back(self) -> int:
        """The partitions that are looked at."""
        return self.partitions

    def judge(self, seen: Seen) -> Judgement:
        """Against the median and its absolute deviation."""
        rows = seen.statistics.rows
        earlier = {key: one.rows for key, one in seen.earlier.items()}
        passed, usual, middle = judged_rows(seen.partition, rows, earlier, self.tolerance)
        numbers = {"rows": float(rows)} | ({} if middle is None else {"usual": float(middle)})
        return Judgement(passed=passed, reason=f"{rows:,} rows; {usual}.", numbers=numbers)
