"""What the checks on drift have in common: a reference window, a limit, and a threshold that knows about chance."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from platform_ml.checks.distances import pooled, size
from platform_ml.spec.check import DataCheck, Judgement
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.naming import check_known
from platform_ml.spec.schema import NUMBERS, Timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.checks.distances import Weighted
    from platform_ml.spec.check import Seen
    from platform_ml.spec.schema import Type

FEWEST = 30
"""Values on either side that anything is said of."""


@dataclass(frozen=True)
class Drift(DataCheck):
    """The values of a column are spread about as in the partitions before; nulls are for `Complete`.

    What is compared with the limit has to exceed what chance alone does to so few values, too.
    """

    column: str
    limit: float
    partitions: int = field(default=28, kw_only=True)
    """How many earlier ones are the reference."""
    blocking: bool = field(default=False, kw_only=True)

    prefix: ClassVar[str]
    """What its name begins with."""
    title: ClassVar[str]
    """The statistic as it is printed."""
    numbers: ClassVar[bool] = True
    """Whether it is for numbers; otherwise for text and booleans."""

    def __post_init__(self) -> None:
        where = f"{type(self).__name__} on {self.column!r}"
        if not (math.isfinite(self.limit) and self.limit > 0):
            raise DeclarationError(f"{where}: limit {self.limit} is no limit. Use a number above 0.")
        if self.partitions < 1:
            raise DeclarationError(f"{where}: {self.partitions} partitions are no reference. Use 1 or more.")

    @property
    def name(self) -> str:
        """psi_amount."""
        return f"{self.prefix}_{self.column}"

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        return (
            f"{self.column} is spread as in the {self.partitions} partitions before: {self.title} at most "
            f"{self.limit:g}, or what chance explains."
        )

    @property
    def looks_back(self) -> int:
        """The reference window."""
        return self.partitions

    def check(self, where: str, columns: Mapping[str, Type]) -> None:
        """Refuse an unknown column, and one of the other kind."""
        check_known(where, "column", [self.column], columns)
        kind = columns[self.column]
        if isinstance(kind, NUMBERS) != self.numbers or isinstance(kind, Timestamp):
            wanted = "numbers" if self.numbers else "text and booleans"
            raise DeclarationError(f"{where}: {self.name} is for {wanted}; {self.column!r} is {kind.sql}.")

    def measure(self, before: Weighted, after: Weighted) -> tuple[float, float]:
        """The statistic, and what it exceeds by chance once in a thousand times."""
        raise NotImplementedError

    def judge(self, seen: Seen) -> Judgement:
        """Too few values pass: nothing can be said of them."""
        before = pooled(self.column, list(seen.earlier.values()))
        return self.compared(before, pooled(self.column, [seen.statistics]), f"{len(before)} partitions")

    def compared(self, before: Weighted, after: Weighted, of: str) -> Judgement:
        """The verdict on any two sides; `of` says what the reference is."""
        n, m = size(before), size(after)
        if min(n, m) < FEWEST:
            reason = f"{m:,.0f} values, {n:,.0f} in the reference: too few to compare, {FEWEST} are needed."
            return Judgement(passed=True, reason=reason)
        found, chance = self.measure(before, after)
        limit = max(self.limit, chance)
        why = "chance" if chance > self.limit else "declared"
        reason = (
            f"{self.title} of {self.column} is {found:.4g}, at most {limit:.4g} ({why}): {m:,.0f} sampled values "
            f"against {n:,.0f} of {of}."
        )
        numbers = {self.prefix: found, "threshold": limit} if math.isfinite(found) else {}
        return Judgement(passed=found <= limit, reason=reason, numbers=numbers)
