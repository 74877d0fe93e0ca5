"""Numbers within bounds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.checks.share import ShareOfRows
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.naming import check_known
from platform_ml.spec.schema import NUMBERS
from platform_ml.spec.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.spec.schema import Type


@dataclass(frozen=True)
class InRange(ShareOfRows):
    """Every value of a column lies within the bounds, these included; NaN does not, a null is no value."""

    column: str
    minimum: float | None = None
    maximum: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        bounds = [bound for bound in (self.minimum, self.maximum) if bound is not None]
        if not bounds or not all(map(math.isfinite, bounds)) or bounds != sorted(bounds):
            raise DeclarationError(
                f"InRange on {self.column!r}: {self.minimum} to {self.maximum} is no range. Give a finite minimum, "
                "a finite maximum, or both in this order."
            )

    @property
    def name(self) -> str:
        """in_range_amount."""
        return f"in_range_{self.column}"

    @property
    def fault(self) -> str:
        """What is the matter with a bad row."""
        if self.minimum is None:
            return f"have {self.column} above {self.maximum:g}"
        if self.maximum is None:
            return f"have {self.column} below {self.minimum:g}"
        return f"have {self.column} outside of {self.minimum:g} to {self.maximum:g}"

    def check(self, where: str, columns: Mapping[str, Type]) -> None:
        """Refuse an unknown column, and one that holds no numbers."""
        check_known(where, "column", [self.column], columns)
        if not isinstance(columns[self.column], NUMBERS):
            raise DeclarationError(f"{where}: {self.name} is for numbers; {self.column!r} is none. Use Allowed.")

    def bad(self) -> str:
        """DuckDB's NaN is above every number."""
        x = identifier(self.column)
        value = f"{x}::DOUBLE"
        low = [f"{value} < {literal(float(self.minimum))}"] if self.minimum is not None else []
        high = [f"{value} > {literal(float(self.maximum))}"] if self.maximum is not None else []
        return f"{x} IS NOT NULL AND ({' OR '.join([*low, *high, f'isnan({value})'])})"
