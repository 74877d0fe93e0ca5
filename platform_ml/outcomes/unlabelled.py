"""Nothing is predicted: rows that are grouped by their features alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.spec.schema import Integer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.spec.schema import Type


@dataclass(frozen=True, kw_only=True)
class Unlabelled:
    """No outcome: the label says who there is at each moment, and its column is 0 in every row.

    What learns from it groups rows (clustering). A row is complete `days` days after its moment, so that splits lie
    apart as those of labels do.
    """

    days: int = 1
    unlabelled: ClassVar[bool] = True

    @property
    def horizon_days(self) -> int:
        """The days until a row is complete."""
        return self.days

    @property
    def meaning(self) -> str:
        """One sentence for the card."""
        return f"No outcome: rows are grouped by their features, {self.days} day{'s' * (self.days > 1)} later."

    def columns(self) -> tuple[str, ...]:
        """None."""
        return ()

    def result(self, types: Mapping[str, Type]) -> Integer:
        """A number that is always 0."""
        return Integer()

    def sql(self) -> str:
        """An aggregate that is 0 for everybody."""
        return "CAST(0 * count(*) AS BIGINT)"
