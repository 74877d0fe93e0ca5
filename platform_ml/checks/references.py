"""What is referred to is there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from platform_ml.spec.check import DataCheck, Judgement, check_share
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.naming import check_known
from platform_ml.spec.schema import check_same_type
from platform_ml.spec.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.spec.check import Seen
    from platform_ml.spec.schema import Type
    from platform_ml.spec.source import Source


@dataclass(frozen=True)
class References(DataCheck):
    """Every value of a column is found in the column of the same name of a source without cadence."""

    column: str
    to: Source
    max_share: float = field(default=0.0, kw_only=True)
    """The share of rows that may be orphans; a null refers to nothing."""
    blocking: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        check_known(f"Source {self.to.name!r}", "column", [self.column], self.to.types)
        check_share("References", "max_share", self.max_share)
        if self.to.cadence is not None:
            raise DeclarationError(f"References to {self.to.name!r}: it has events. Refer to a source without cadence.")

    @property
    def name(self) -> str:
        """product_id_in_products."""
        return f"{self.column}_in_{self.to.name}"[:63]

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        return f"At most {self.max_share:.2%} of the rows have a {self.column} that {self.to.name} does not have."

    def reads(self) -> tuple[Source, ...]:
        """The source that is referred to."""
        return (self.to,)

    def check(self, where: str, columns: Mapping[str, Type]) -> None:
        """Refuse an unknown column, and one of another type."""
        check_known(where, "column", [self.column], columns)
        check_same_type(where, self.column, columns[self.column], self.to.name, self.to.types[self.column])

    def query(self) -> str:
        """An anti join of one column."""
        x = identifier(self.column)
        return f"""
            SELECT _partition, count(*) AS orphans, min({x})::VARCHAR AS first
            FROM rows ANTI JOIN (SELECT {x} FROM {identifier(self.to.name)}) USING ({x})
            WHERE {x} IS NOT NULL GROUP BY _partition"""

    def judge(self, seen: Seen) -> Judgement:
        """Compare the share of orphans."""
        rows, orphans = seen.statistics.rows, int(seen.numbers.get("orphans") or 0)
        share = orphans / rows if rows else 0.0
        first = f", like {seen.numbers['first']}" if orphans else ""
        reason = (
            f"{orphans:,} of {rows:,} rows ({share:.2%}, allowed {self.max_share:.2%}) have a {self.column} that "
            f"{self.to.name} does not have{first}."
        )
        return Judgement(passed=share <= self.max_share, reason=reason, numbers={"orphans": orphans, "share": share})
