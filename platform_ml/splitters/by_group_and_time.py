"""Learn from some entities in the past, be judged on others in what came after."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Self

from platform_ml.splitters.by_entity import ByEntity
from platform_ml.splitters.group_walk_forward import GroupWalkForward
from platform_ml.splitters.k_folds import KFolds
from platform_ml.splitters.walk_forward import WalkForward

if TYPE_CHECKING:
    from platform_ml.spec.splitter import Folds, RowSQL
    from platform_ml.splitters.by_time import ByTime


@dataclass(frozen=True, kw_only=True)
class ByGroupAndTime:
    """A row is used where both rules put it into the same split, so test entities are new and test rows are later.

    The price is rows: of each period only the entities of its own split remain.
    """

    time: ByTime
    group: ByEntity = field(default_factory=ByEntity)
    by_time: ClassVar[bool] = True
    separates_entities: ClassVar[bool] = True

    @property
    def gap_days(self) -> int | None:
        """That of the rule by time."""
        return self.time.gap_days

    def span_days(self, gap_days: int) -> int:
        """That of the rule by time."""
        return self.time.span_days(gap_days)

    def over(self, days: int) -> Self:
        """The same rule, its part by time tested on so many days."""
        return replace(self, time=self.time.over(days))

    def sql(self, row: RowSQL, *, gap_days: int) -> str:
        """One column: the split on which both rules agree."""
        by_time, by_group = self.time.sql(row, gap_days=gap_days), self.group.sql(row, gap_days=gap_days)
        return f"CASE WHEN ({by_time}) = ({by_group}) THEN {by_time} END"

    def says(self, gap_days: int) -> str:
        """The rule as a sentence."""
        return f"Only rows that two rules put into the same split. {self.time.says(gap_days)} {self.group.says(0)}"

    def folds(self, number: int) -> Folds:
        """Walk forward over the entities that are not for testing, each fold judged on entities of its own."""
        walk = WalkForward(
            number=number,
            validation_days=self.time.validation_days,
            test_days=self.time.test_days,
            embargo_days=self.time.embargo_days,
        )
        parts = KFolds(number=number, by="entity", seed=self.group.seed)
        return GroupWalkForward(time=walk, group=parts, held_out=self.group)
