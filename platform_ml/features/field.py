"""A column as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.feature import Feature
from platform_ml.spec.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from platform_ml.spec.schema import Type
    from platform_ml.spec.window import Term


@dataclass(frozen=True, kw_only=True)
class Field(Feature):
    """A column of a reference source, unchanged."""

    of: str

    @property
    def name(self) -> str:
        """The column's own name."""
        return self.of

    @property
    def meaning(self) -> str:
        """One sentence for catalog and card."""
        return f"{self.of} as last known."

    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.of,)

    def result(self, types: Mapping[str, Type]) -> Type:
        """The column's own type."""
        return types[self.of]

    def sql(self, term: Callable[[Term], str]) -> str:
        """The column."""
        return identifier(self.of)
