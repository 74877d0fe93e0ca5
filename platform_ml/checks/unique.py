"""No row twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from platform_ml.spec.check import DataCheck, Judgement
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.naming import check_known, check_unique
from platform_ml.spec.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.spec.check import Seen
    from platform_ml.spec.schema import Type


@dataclass(frozen=True)
class Unique(DataCheck):
    """No two rows of a partition share the values of these columns; a key is held to that anyway."""

    columns: tuple[str, ...]
    blocking: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        check_unique("Unique", "column", self.columns)
        if not self.columns:
            raise DeclarationError("Unique: no column is named. Name those that no two rows share.")

    @property
    def name(self) -> str:
        """unique_card_number."""
        return f"unique_{'_'.join(self.columns)}"[:63]

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        return f"No two rows share ({', '.join(self.columns)})."

    def check(self, where: str, columns: Mapping[str, Type]) -> None:
        """Refuse unknown columns."""
        check_known(where, "column", self.columns, columns)

    def query(self) -> str:
        """Counting groups is far cheaper than count(DISTINCT ...)."""
        names = ", ".join(map(identifier, self.columns))
        return f"""
            SELECT _partition, sum(_n - 1)::BIGINT AS repeated
            FROM (SELECT _partition, {names}, count(*) AS _n FROM rows GROUP BY _partition, {names})
            GROUP BY _partition"""

    def judge(self, seen: Seen) -> Judgement:
        """Pass when no row repeats another one."""
        repeated = int(seen.numbers.get("repeated") or 0)
        reason = f"{repeated:,} rows repeat the ({', '.join(self.columns)}) of another one."
        return Judgement(passed=not repeated, reason=reason, numbers={"repeated": repeated})
