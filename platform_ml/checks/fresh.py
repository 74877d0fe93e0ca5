"""Rows until the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from platform_ml.spec.check import DataCheck, Judgement
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.naming import check_known
from platform_ml.spec.schema import Timestamp
from platform_ml.spec.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.spec.check import Seen
    from platform_ml.spec.schema import Type


@dataclass(frozen=True)
class Fresh(DataCheck):
    """The newest row lies at most `hours` before the end of its partition: a day was not cut off at noon."""

    column: str
    hours: float
    blocking: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        if not 0 < self.hours < 1e6:  # noqa: PLR2004 - a century
            raise DeclarationError(f"Fresh on {self.column!r}: {self.hours} hours is no time span. Use more than 0.")

    @property
    def name(self) -> str:
        """fresh_ordered_at."""
        return f"fresh_{self.column}"

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        return f"The newest {self.column} lies at most {self.hours:g} hours before the end of the partition."

    def check(self, where: str, columns: Mapping[str, Type]) -> None:
        """Refuse an unknown column, and one that is no moment."""
        check_known(where, "column", [self.column], columns)
        if not isinstance(columns[self.column], Timestamp):
            raise DeclarationError(f"{where}: {self.name} is for moments; {self.column!r} is no Timestamp.")

    def aggregates(self) -> Mapping[str, str]:
        """The newest moment."""
        return {"newest": f"max({identifier(self.column)})"}

    def judge(self, seen: Seen) -> Judgement:
        """Without rows nothing is fresh; a table without partitions in time has no end to measure from."""
        newest = seen.numbers["newest"]
        if seen.last is None:
            return Judgement(passed=True, reason=f"The newest {self.column} is {newest}; the partition never ends.")
        if newest is None:
            return Judgement(passed=False, reason=f"No row has a {self.column}.")
        gap = (seen.last - newest) / timedelta(hours=1)
        reason = f"The newest {self.column} is {newest}, {gap:.1f} hours before the end; {self.hours:g} are allowed."
        return Judgement(passed=gap <= self.hours, reason=reason, numbers={"hours": gap})
