"""Whether anything is known at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.feature import Feature
from platform_ml.spec.naming import check_name
from platform_ml.spec.schema import Boolean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from platform_ml.spec.schema import Type
    from platform_ml.spec.window import Term


@dataclass(frozen=True, kw_only=True)
class Exists(Feature):
    """True where the entity has a row in the group, false where it has none."""

    called: str

    def __post_init__(self) -> None:
        check_name("Feature", self.called)

    @property
    def name(self) -> str:
        """What it is called."""
        return self.called

    @property
    def meaning(self) -> str:
        """One sentence for catalog and card."""
        return "Whether the entity is in the reference data."

    @property
    def absent(self) -> bool:
        """False."""
        return False

    def result(self, types: Mapping[str, Type]) -> Type:
        """True or false."""
        return Boolean()

    def sql(self, term: Callable[[Term], str]) -> str:
        """True for every row that exists."""
        return "TRUE"
