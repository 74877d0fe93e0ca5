"""A label with the features that were known at its moment."""

from __future__ import annotations

from dataclasses import dataclass, field

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.feature_group import EVENT_TIME, FeatureGroup, Selection
from platform_ml.spec.fingerprint import PROSE
from platform_ml.spec.label import KNOWN_TIME, Label
from platform_ml.spec.naming import check_name, check_unique
from platform_ml.spec.schema import check_same_type


@dataclass(frozen=True, kw_only=True)
class FeatureView:
    """One row per label row: keys, moment, label, features as known then, and helpers that no model sees."""

    name: str
    description: str = field(metadata=PROSE)
    label: Label
    features: tuple[Selection | FeatureGroup, ...]
    helpers: tuple[Selection | FeatureGroup, ...] = ()
    """Columns for slices and reports: they travel along and never reach a model."""

    def __post_init__(self) -> None:
        check_name("Feature view", self.name)
        where = f"Feature view {self.name!r}"
        names = [*self.feature_names, *self.helper_names]
        check_unique(where, "column", [*self.spine_names, *names])
        if not self.features:
            raise DeclarationError(f"{where} has no features.")
        for selection in self.selections:
            if selection.group.entity != self.label.entity:
                raise DeclarationError(
                    f"{where}: group {selection.group.name!r} describes {selection.group.entity!r}, "
                    f"but the label is about {self.label.entity!r}."
                )
            here, there = self.label.source.types[self.label.entity], selection.group.types[self.label.entity]
            check_same_type(where, self.label.entity, here, selection.group.name, there)

    @property
    def spine_names(self) -> list[str]:
        """The columns that come from the label."""
        return [self.label.entity, EVENT_TIME, self.label.name, KNOWN_TIME]

    @property
    def feature_selections(self) -> tuple[Selection, ...]:
        """What the model sees, group by group."""
        return tuple(map(_selection, self.features))

    @property
    def selections(self) -> tuple[Selection, ...]:
        """Everything that is joined, group by group."""
        return (*self.feature_selections, *map(_selection, self.helpers))

    @property
    def feature_names(self) -> list[str]:
        """The columns that a model sees, in order."""
        return [name for selection in self.feature_selections for name in selection.names]

    @property
    def helper_names(self) -> list[str]:
        """The columns that only slices and reports see."""
        return [name for selection in map(_selection, self.helpers) for name in selection.names]

    @property
    def groups(self) -> tuple[FeatureGroup, ...]:
        """The groups it reads, each once."""
        return tuple({selection.group.name: selection.group for selection in self.selections}.values())

    @property
    def lookback_days(self) -> int:
        """The longest look-back of the features that the model sees."""
        return max(s.group.feature(name).lookback_days for s in self.feature_selections for name in s.names)


def _selection(chosen: Selection | FeatureGroup) -> Selection:
    if isinstance(chosen, Selection):
        return chosen
    return Selection(group=chosen, names=tuple(feature.name for feature in chosen.features))
