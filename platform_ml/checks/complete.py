"""Few enough nulls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.checks.share import ShareOfRows
from platform_ml.spec.naming import check_known
from platform_ml.spec.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.spec.schema import Type


@dataclass(frozen=True)
class Complete(ShareOfRows):
    """At most the declared share of a column is null."""

    column: str

    @property
    def name(self) -> str:
        """complete_brand."""
        return f"complete_{self.column}"

    @property
    def fault(self) -> str:
        """What is the matter with a bad row."""
        return f"have no {self.column}"

    def check(self, where: str, columns: Mapping[str, Type]) -> None:
        """Refuse an unknown column."""
        check_known(where, "column", [self.column], columns)

    def bad(self) -> str:
        """SQL that is true of a bad row."""
        return f"{identifier(self.column)} IS NULL"
