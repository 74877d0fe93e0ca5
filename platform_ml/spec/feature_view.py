"""A label with the features that were known at its moment."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from platform_ml.spec.check import check_checks
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.event_label import EventLabel
from platform_ml.spec.feature_group import EVENT_TIME, FeatureGroup, Selection
from platform_ml.spec.feature_view_rules import check_join, check_leaks, check_learning
from platform_ml.spec.fingerprint import JUDGED, PROSE
from platform_ml.spec.history import Knowledge, PerRow
from platform_ml.spec.label import KNOWN_TIME
from platform_ml.spec.naming import check_name

if TYPE_CHECKING:
    from platform_ml.spec.check import DataCheck
    from platform_ml.spec.feature import Feature
    from platform_ml.spec.label import Label
    from platform_ml.spec.schema import Type

PER_ROW = PerRow()


@dataclass(frozen=True, kw_only=True)
class FeatureView:
    """One row per label row: keys, moment, label, features as known then, and helpers that no model sees."""

    name: str
    description: str = field(metadata=PROSE)
    label: Label | EventLabel
    features: tuple[Selection | FeatureGroup, ...]
    helpers: tuple[Selection | FeatureGroup, ...] = ()
    """Columns for slices and reports: they travel along and never reach a model."""
    knowledge: Knowledge = PER_ROW
    """What "known" means where a group records when its rows became known."""
    checks: tuple[DataCheck, ...] = field(default=(), metadata=JUDGED)
    """What its rows are held against beside what every view is."""

    def __post_init__(self) -> None:
        check_name("Feature view", self.name)
        where = f"Feature view {self.name!r}"
        if not self.feature_names:
            raise DeclarationError(f"{where} has no features.")
        joined = Counter(name for selection in self.selections for name in selection.columns)
        twice = Counter(self.spine_names) + joined
        if several := sorted(name for name in joined if twice[name] > 1):
            raise DeclarationError(
                f"{where} has {several[0]!r} from two places. Give one of them a prefix: "
                "group.select(...).role('other_', ...)."
            )
        for selection in self.selections:
            check_join(self, selection)
            check_leaks(self, selection)
        check_learning(self)
        if self.checks:
            check_checks(where, self.checks, self.types)

    @property
    def spine_names(self) -> list[str]:
        """The columns that come from the label."""
        return list(self.label.columns)

    @property
    def never_null(self) -> list[str]:
        """Those of the label's columns that every row has: keys, moments, outcome."""
        label = self.label
        return list(dict.fromkeys([*label.key, label.entity, EVENT_TIME, label.name, KNOWN_TIME]))

    @property
    def columns(self) -> list[str]:
        """All of its columns, in order: the label's, then what is joined."""
        return [*self.label.columns, *self.joined]

    @property
    def types(self) -> dict[str, Type]:
        """Column → type, in order."""
        return self.label.columns | {
            name: feature.result(group.types) for name, (group, feature) in self.joined.items()
        }

    @cached_property
    def feature_selections(self) -> tuple[Selection, ...]:
        """What the model sees, group by group."""
        return tuple(map(_selection, self.features))

    @cached_property
    def selections(self) -> tuple[Selection, ...]:
        """Everything that is joined, group by group."""
        return (*self.feature_selections, *map(_selection, self.helpers))

    @property
    def feature_names(self) -> list[str]:
        """The columns that a model sees, in order."""
        return [*self.label.attributes, *(name for s in self.feature_selections for name in s.columns)]

    @property
    def helper_names(self) -> list[str]:
        """The columns that only slices and reports see."""
        return [*self.label.carried, *(name for s in map(_selection, self.helpers) for name in s.columns)]

    @property
    def joined(self) -> dict[str, tuple[FeatureGroup, Feature]]:
        """Joined column → its group and what it is there."""
        return {name: (s.group, feature) for s in self.selections for name, feature in s.columns.items()}

    @property
    def meanings(self) -> dict[str, str]:
        """Column → what it means, in one sentence: those that the label brings along, then what is joined."""
        described = {column.name: column.description for column in self.label.source.columns}
        if isinstance(self.label, EventLabel):
            described |= {column.name: column.meaning for column in self.label.derived}
        own = {n: described.get(n) or f"{n} of the event." for n in (*self.label.attributes, *self.label.carried)}
        return own | {name: feature.meaning for name, (_, feature) in self.joined.items()}

    @cached_property
    def groups(self) -> tuple[FeatureGroup, ...]:
        """The groups it reads, each once."""
        return tuple({selection.group.name: selection.group for selection in self.selections}.values())

    @property
    def lookback_days(self) -> int:
        """The longest look-back of the features that the model sees."""
        return max((f.lookback_days for s in self.feature_selections for f in s.columns.values()), default=0)


def _selection(chosen: Selection | FeatureGroup) -> Selection:
    return chosen if isinstance(chosen, Selection) else chosen.role()
