"""Values of a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.checks.share import ShareOfRows
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.naming import check_known
from platform_ml.spec.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.spec.schema import Type

SHOWN = 5
"""Values that a rule names."""


@dataclass(frozen=True)
class Allowed(ShareOfRows):
    """Every value of a column is one of these, compared as text; a null is no value."""

    column: str
    values: tuple[str, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.values:
            raise DeclarationError(f"Allowed on {self.column!r}: no value is allowed. Name some, or drop the check.")

    @property
    def name(self) -> str:
        """allowed_brand."""
        return f"allowed_{self.column}"

    @property
    def fault(self) -> str:
        """What is the matter with a bad row."""
        more = f" and {len(self.values) - SHOWN} more" if len(self.values) > SHOWN else ""
        return f"have {self.column} other than {', '.join(self.values[:SHOWN])}{more}"

    def check(self, where: str, columns: Mapping[str, Type]) -> None:
        """Refuse an unknown column."""
        check_known(where, "column", [self.column], columns)

    def bad(self) -> str:
        """SQL that is true of a bad row; null NOT IN is null."""
        return f"{identifier(self.column)}::VARCHAR NOT IN ({', '.join(map(literal, self.values))})"
