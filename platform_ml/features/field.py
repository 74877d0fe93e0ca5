"""A column as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.feature import Feature
from platform_ml.spec.naming import check_name
from platform_ml.spec.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from platform_ml.spec.schema import Type
    from platform_ml.spec.window import Term


@dataclass(frozen=True, kw_only=True)
class Field(Feature):
    """A column as it is: of a reference source, or of the newest row of a history."""

    of: str
    called: str | None = None
    """Another name than the column's."""

    def __post_init__(self) -> None:
        if self.called is not None:
            check_name("Feature", self.called)

    @property
    def name(self) -> str:
        """The column's own name, unless it is called otherwise."""
        return self.called or self.of

    @property
    def meaning(self) -> str:
        """One sentence for catalog and card."""
        return f"{self.of} as last known."

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """The column's unit."""
        return units.get(self.of)

    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.of,)

    def result(self, types: Mapping[str, Type]) -> Type:
        """The column's own type."""
        return types[self.of]

    def sql(self, term: Callable[[Term], str]) -> str:
        """The column."""
        return identifier(self.of)
