"""Folds that learn from some entities in the past and are judged on others later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.spec.errors import DeclarationError

if TYPE_CHECKING:
    from platform_ml.spec.splitter import RowSQL
    from platform_ml.splitters.by_entity import ByEntity
    from platform_ml.splitters.k_folds import KFolds
    from platform_ml.splitters.walk_forward import WalkForward


@dataclass(frozen=True, kw_only=True)
class GroupWalkForward:
    """A row is used where the fold in time and the fold of entities agree; test entities are in no fold."""

    time: WalkForward
    group: KFolds
    held_out: ByEntity
    """Whose test entities are left out, whatever their time."""
    by_time: ClassVar[bool] = True
    separates_entities: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.time.number != self.group.number:
            raise DeclarationError(
                f"GroupWalkForward: {self.time.number} folds in time, {self.group.number} of entities. Make them equal."
            )
        if not self.group.separates_entities:
            raise DeclarationError(f"GroupWalkForward: group draws by {self.group.by!r}. Use by='entity'.")

    @property
    def number(self) -> int:
        """That of both."""
        return self.time.number

    def sql(self, row: RowSQL, *, fold: int, gap_days: int) -> str:
        """One column: the role on which both agree."""
        by_time, by_group = (each.sql(row, fold=fold, gap_days=gap_days) for each in (self.time, self.group))
        held_out = self.held_out.sql(row, gap_days=gap_days)
        return f"CASE WHEN ({held_out}) <> 'test' AND ({by_time}) = ({by_group}) THEN {by_time} END"

    def says(self, gap_days: int) -> str:
        """The rule as a sentence."""
        return f"Only rows of entities that are not for testing, where two rules agree. {self._both(gap_days)}"

    def _both(self, gap_days: int) -> str:
        return f"{self.time.says(gap_days)} {self.group.says(gap_days)}"
