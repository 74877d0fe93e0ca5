"""Features of one entity, computed together and stored once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.fingerprint import PROSE
from platform_ml.spec.naming import check_known, check_name, check_unique
from platform_ml.spec.schema import check_same_type

if TYPE_CHECKING:
    from platform_ml.spec.feature import Feature
    from platform_ml.spec.schema import Type
    from platform_ml.spec.source import Source
    from platform_ml.spec.window import Cadence

EVENT_TIME = "event_time"
"""The moment from which a row of a feature group may be used; of a label: the moment that is predicted from."""


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """Columns that a reference source without time adds to each event, by its key."""

    source: Source
    columns: tuple[str, ...]

    def __post_init__(self) -> None:
        where = f"Lookup in {self.source.name!r}"
        check_known(where, "column", self.columns, self.source.types)
        if self.source.cadence is not None:
            raise DeclarationError(f"{where}: only a source without cadence is a reference; this one has events.")


@dataclass(frozen=True, kw_only=True)
class Derived:
    """A column computed from the columns of the same event."""

    name: str
    sql: str
    """A DuckDB expression."""
    type: Type

    def __post_init__(self) -> None:
        check_name("Derived column", self.name)


@dataclass(frozen=True, kw_only=True)
class FeatureGroup:
    """What is known of an entity: rolling features on a cadence, or the fields of a reference source."""

    name: str
    description: str = field(metadata=PROSE)
    source: Source
    entity: str
    features: tuple[Feature, ...]
    cadence: Cadence | None = None
    lookups: tuple[Lookup, ...] = ()
    derived: tuple[Derived, ...] = ()

    def __post_init__(self) -> None:
        check_name("Feature group", self.name)
        where = f"Feature group {self.name!r}"
        check_known(where, "column", [self.entity], self.source.types)
        check_unique(where, "lookup of", [lookup.source.name for lookup in self.lookups])
        check_unique(where, "column", [self.entity, EVENT_TIME, *(feature.name for feature in self.features)])
        check_unique(where, "column", [*self.source.types, *(d.name for d in self.derived), *self._looked_up])
        for lookup in self.lookups:
            check_known(where, "column", lookup.source.key, self.source.types)
            for key in lookup.source.key:
                check_same_type(where, key, self.source.types[key], lookup.source.name, lookup.source.types[key])
        for feature in self.features:
            check_known(where, "column", feature.columns(), self.types)
            feature.result(self.types)
        if not self.features:
            raise DeclarationError(f"{where} has no features.")
        if self.cadence is None:
            self._check_reference(where)
        else:
            self._check_windows(where, self.cadence)

    def _check_reference(self, where: str) -> None:
        if self.lookback_days:
            raise DeclarationError(f"{where} has windows but no cadence: say on which days its rows are made.")
        if self.lookups or self.derived:
            raise DeclarationError(f"{where} has no cadence: lookups and derived columns are for events. Drop them.")

    def _check_windows(self, where: str, cadence: Cadence) -> None:
        source = self.source
        if source.cadence is None:
            raise DeclarationError(f"{where} has a cadence but source {source.name!r} has no event time.")
        if not self.lookback_days:
            raise DeclarationError(f"{where} has a cadence but no feature with a window. Drop the cadence.")
        for feature in self.features:
            if feature.columns() and not feature.lookback_days:
                raise DeclarationError(
                    f"{where}: {feature.name!r} is a column as it is, but an entity has many events. Use a feature "
                    "with a window, or put it into a group without cadence."
                )
        if source.cadence.end is not None and (cadence.end is None or cadence.end > source.cadence.end):
            raise DeclarationError(
                f"{where}: its cadence ends on {cadence.end or 'no day'}, source {source.name!r} before "
                f"{source.cadence.end}. Declare a last partition that the source covers."
            )

    @property
    def _looked_up(self) -> list[str]:
        return [column for lookup in self.lookups for column in lookup.columns]

    @property
    def types(self) -> dict[str, Type]:
        """Every column that a feature can be made of → type."""
        looked_up = {name: lookup.source.types[name] for lookup in self.lookups for name in lookup.columns}
        return self.source.types | looked_up | {column.name: column.type for column in self.derived}

    @property
    def lookback_days(self) -> int:
        """The longest window of its features."""
        return max(feature.lookback_days for feature in self.features)

    @property
    def ttl(self) -> timedelta | None:
        """How long a row speaks for its entity: until the next snapshot is due; None without a cadence."""
        return None if self.cadence is None else timedelta(days=self.cadence.days) - timedelta(microseconds=1)

    def feature(self, name: str) -> Feature:
        """The feature of this name."""
        return next(feature for feature in self.features if feature.name == name)

    def select(self, *names: str) -> Selection:
        """Some of its features."""
        return Selection(group=self, names=names)


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Features of a group that a view takes."""

    group: FeatureGroup
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        known = [feature.name for feature in self.group.features]
        check_known(f"Feature group {self.group.name!r}", "feature", self.names, known)
        check_unique(f"Selection of {self.group.name!r}", "feature", self.names)
