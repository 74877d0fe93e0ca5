"""Features of one entity, computed together and stored once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from platform_ml.spec.check import check_checks
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.feature_group_rules import check_events, check_quality, check_reference, check_snapshots
from platform_ml.spec.fingerprint import ADDED, JUDGED, PROSE
from platform_ml.spec.history import Committed, History
from platform_ml.spec.naming import check_known, check_name, check_unique
from platform_ml.spec.schema import Timestamp, check_same_type
from platform_ml.spec.window import check_even

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.spec.check import DataCheck
    from platform_ml.spec.feature import Feature
    from platform_ml.spec.quality import Quality
    from platform_ml.spec.schema import Column, Type
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
    description: str = field(default="", metadata=PROSE)
    unit: str | None = field(default=None, metadata=ADDED)

    def __post_init__(self) -> None:
        check_name("Derived column", self.name)

    @property
    def meaning(self) -> str:
        """One sentence for catalog and card: what it is described as, or how it is made."""
        return self.description or f"{self.sql}, of each event."


@dataclass(frozen=True, kw_only=True)
class FeatureGroup:
    """What is known of an entity: rolling features on a cadence, events as they happen, or a reference source."""

    name: str
    description: str = field(metadata=PROSE)
    source: Source
    entity: str | tuple[str, ...]
    """The key columns: what a row is about."""
    features: tuple[Feature, ...]
    cadence: Cadence | None = None
    lookups: tuple[Lookup, ...] = ()
    derived: tuple[Derived, ...] = ()
    history: History | None = None
    """How rows follow each other. Rolling features without it: each snapshot until the next one is due."""
    checks: tuple[DataCheck, ...] = field(default=(), metadata=JUDGED)
    """What each partition is held against beside its columns."""
    quality: Quality | None = field(default=None, metadata=ADDED)
    """How each row is scored; None: it is not."""

    def __post_init__(self) -> None:
        check_name("Feature group", self.name)
        where = f"Feature group {self.name!r}"
        if not self.features:
            raise DeclarationError(f"{where} has no features.")
        types = self.types
        check_known(where, "column", self.keys, types)
        check_unique(where, "lookup of", [lookup.source.name for lookup in self.lookups])
        check_unique(where, "column", [*self.keys, EVENT_TIME, *(feature.name for feature in self.features)])
        check_unique(where, "column", [*self.source.types, *(d.name for d in self.derived), *self._looked_up])
        for lookup in self.lookups:
            check_known(where, "column", lookup.source.key, self.source.types)
            for key in lookup.source.key:
                check_same_type(where, key, self.source.types[key], lookup.source.name, lookup.source.types[key])
        for feature in self.features:
            check_known(where, "column", feature.columns(), types)
            feature.result(types)
        check_even(where, self.cadence)
        if self.of_events:
            check_unique(where, "column", [*self.keys, EVENT_TIME, *self.event_columns])
            check_events(self)
        elif self.cadence is None:
            check_reference(self)
        else:
            check_snapshots(self, self.cadence)
        if self.quality:
            check_quality(self, self.quality)
        check_checks(where, self.checks, self.columns)

    @property
    def keys(self) -> tuple[str, ...]:
        """The key columns."""
        return (self.entity,) if isinstance(self.entity, str) else self.entity

    @cached_property
    def of_events(self) -> bool:
        """Whether its rows are the source's, each with its own event time; otherwise snapshots, or a reference."""
        return self.history is not None and not any(feature.terms() for feature in self.features)

    @property
    def committed(self) -> bool:
        """Whether the platform's commits say when its rows became known."""
        return self.history is not None and isinstance(self.history.known, Committed)

    @property
    def event_columns(self) -> tuple[str, ...]:
        """What is kept of each event: the columns that features and rules read."""
        read = [column for feature in self.features for column in feature.columns()]
        rules = self.history.columns if self.history else ()
        return tuple(name for name in dict.fromkeys([*read, *rules]) if name not in self.keys)

    @property
    def _looked_up(self) -> list[str]:
        return [column for lookup in self.lookups for column in lookup.columns]

    @cached_property
    def types(self) -> dict[str, Type]:
        """Every column that a feature can be made of → type."""
        looked_up = {name: lookup.source.types[name] for lookup in self.lookups for name in lookup.columns}
        return self.source.types | looked_up | {column.name: column.type for column in self.derived}

    @property
    def columns(self) -> dict[str, Type]:
        """The columns of its table, in order."""
        keys = {key: self.types[key] for key in self.keys}
        time = {EVENT_TIME: Timestamp()} if self.rules else {}
        if self.of_events:
            return keys | time | {name: self.types[name] for name in self.event_columns}
        scores = self.quality.columns if self.quality else {}
        return keys | time | {feature.name: feature.result(self.types) for feature in self.features} | scores

    @property
    def units(self) -> dict[str, str]:
        """Column that a feature can be made of → its unit, where it has one."""
        looked_up = [lookup.source.column(name) for lookup in self.lookups for name in lookup.columns]
        columns: tuple[Column | Derived, ...] = (*self.source.columns, *looked_up, *self.derived)
        return {column.name: column.unit for column in columns if column.unit}

    @property
    def lookback_days(self) -> int:
        """The longest window of its features."""
        return max(feature.lookback_days for feature in self.features)

    @property
    def rules(self) -> History | None:
        """How its rows follow each other; None without time. A snapshot speaks until the next one is due."""
        if self.of_events or self.cadence is None:
            return self.history
        until_next = timedelta(days=self.cadence.days) - timedelta(microseconds=1)
        return replace(self.history or History(), ttl=until_next)

    def feature(self, name: str) -> Feature:
        """The feature of this name."""
        return next(feature for feature in self.features if feature.name == name)

    @property
    def selectable(self) -> tuple[Feature, ...]:
        """What a view can take by name: its features, and the columns of its quality."""
        return (*self.features, *(self.quality.features if self.quality else ()))

    def select(self, *names: str) -> Selection:
        """Some of its features."""
        return Selection(group=self, names=names)

    def role(self, prefix: str = "", *, on: Mapping[str, str] | None = None, at: str | None = None) -> Selection:
        """All of its features, in a role: see `Selection.role`."""
        return self.select(*(feature.name for feature in self.features)).role(prefix, on=on, at=at)


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Features of a group that a view takes, and the role in which it takes them."""

    group: FeatureGroup
    names: tuple[str, ...]
    prefix: str = ""
    """What the columns are called in the view begins with this: the role, when a group is joined twice."""
    on: tuple[tuple[str, str], ...] = ()
    """(key of the group, column of the label); a key that is not named has the same name there."""
    at: str | None = None
    """The label's column of the moment as of which features are read; None: the moment of prediction."""

    def __post_init__(self) -> None:
        where = f"Selection of {self.group.name!r}"
        known = [feature.name for feature in self.group.selectable]
        check_known(f"Feature group {self.group.name!r}", "feature", self.names, known)
        check_unique(where, "feature", self.names)
        check_known(f"Feature group {self.group.name!r}", "key", [key for key, _ in self.on], self.group.keys)
        check_unique(where, "key", [key for key, _ in self.on])
        if self.prefix:
            check_name("Prefix", self.prefix)

    def role(self, prefix: str = "", *, on: Mapping[str, str] | None = None, at: str | None = None) -> Selection:
        """The same features under another prefix, found by other columns of the label (`on`), as of another moment."""
        return replace(self, prefix=prefix, on=tuple((on or {}).items()), at=at)

    @property
    def keys(self) -> dict[str, str]:
        """Key of the group → column of the label."""
        mapped = dict(self.on)
        return {key: mapped.get(key, key) for key in self.group.keys}

    @property
    def columns(self) -> dict[str, Feature]:
        """Column of the view → feature."""
        features = {feature.name: feature for feature in self.group.selectable}
        return {f"{self.prefix}{name}": features[name] for name in self.names}
