"""What a feature group of each kind must obey: a reference, snapshots on a cadence, events as they happen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.history import Committed
from platform_ml.spec.naming import check_known, check_unique
from platform_ml.spec.schema import Boolean, Integer, Timestamp

if TYPE_CHECKING:
    from platform_ml.spec.feature_group import FeatureGroup
    from platform_ml.spec.quality import Quality
    from platform_ml.spec.window import Cadence


def check_reference(group: FeatureGroup) -> None:
    """Fields of a source without time."""
    where = f"Feature group {group.name!r}"
    if group.lookback_days:
        raise DeclarationError(f"{where} has windows but no cadence: say on which days its rows are made.")
    if group.source.cadence is not None:
        raise DeclarationError(
            f"{where} has no time but source {group.source.name!r} has: later rows would be seen. Declare its "
            "history, or a cadence and features with windows."
        )
    if ages := [feature.name for feature in group.features if feature.ages]:
        raise DeclarationError(f"{where} has no time, so {ages[0]!r} cannot be told. Declare its history.")
    if group.lookups or group.derived:
        raise DeclarationError(f"{where} has no cadence: lookups and derived columns are for events. Drop them.")


def check_snapshots(group: FeatureGroup, cadence: Cadence) -> None:
    """Windows of whole days, one row per entity and day."""
    where, source, history = f"Feature group {group.name!r}", group.source, group.history
    if source.cadence is None:
        raise DeclarationError(f"{where} has a cadence but source {source.name!r} has no event time.")
    if not group.keys:
        raise DeclarationError(f"{where} has no entity. Name what its rows are about, or declare a history.")
    if not group.lookback_days:
        raise DeclarationError(
            f"{where} has a cadence but no feature with a window. Drop the cadence, or declare its history."
        )
    for feature in group.features:
        if feature.exact or feature.ages:
            raise DeclarationError(
                f"{where}: {feature.name!r} is computed from events at the moment of a label row, other features once "
                "a day. Put it into a group of events: one with a history and no rolling features."
            )
        if feature.columns() and not feature.lookback_days:
            raise DeclarationError(
                f"{where}: {feature.name!r} is a column as it is, but an entity has many events. Use a feature "
                "with a window, declare a history, or put it into a group without cadence."
            )
    if source.cadence.end is not None and (cadence.end is None or cadence.end > source.cadence.end):
        raise DeclarationError(
            f"{where}: its cadence ends on {cadence.end or 'no day'}, source {source.name!r} before "
            f"{source.cadence.end}. Declare a last partition that the source covers."
        )
    if history and (history.event_time or history.columns or history.ttl is not None or history.late_days):
        raise DeclarationError(
            f"{where}: its rows are snapshots that the platform makes, so its history can only say bound, delay and "
            "how commits make known. Drop the rest."
        )


def check_quality(group: FeatureGroup, quality: Quality) -> None:
    """Scores of snapshots and references, over features that the group has."""
    where = f"Feature group {group.name!r}"
    if group.of_events:
        raise DeclarationError(
            f"{where}: quality is judged over a partition as a whole, but its events are used one by one, each "
            "from its own moment on, so it would look ahead. Drop it, or score a group of snapshots."
        )
    check_unique(where, "column", [*group.keys, *(feature.name for feature in group.selectable)])
    quality.check(where, {feature.name: feature.result(group.types) for feature in group.features})


def check_events(group: FeatureGroup) -> None:
    """The source's own rows, each from its own event time on."""
    where, source, history = f"Feature group {group.name!r}", group.source, group.history
    if history is None:
        raise TypeError(group)
    if group.cadence != source.cadence:
        raise DeclarationError(
            f"{where}: its rows are those of source {source.name!r}, so they come as those do. Use cadence="
            f"{source.name}.cadence."
        )
    if history.event_time is None and source.event_time is None:
        raise DeclarationError(f"{where} has a history, but neither it nor source {source.name!r} says the event time.")
    wanted: dict[str, type] = {name: Timestamp for name in (history.event_time, *history.times) if name}
    wanted |= {history.sequence: Integer} if history.sequence else {}
    wanted |= {history.tombstone: Boolean} if history.tombstone else {}
    check_known(where, "column", wanted, group.types)
    for name, kind in wanted.items():
        if not isinstance(group.types[name], kind):
            raise DeclarationError(
                f"{where}: {name!r} is {group.types[name].sql}, its history needs a {kind.__name__}."
            )
    if all(feature.exact for feature in group.features):
        judged = {"ttl": history.ttl, "valid_to": history.valid_to, "tombstone": history.tombstone}
        if said := [name for name, rule in judged.items() if rule is not None]:
            raise DeclarationError(
                f"{where} has windows only, but {said[0]} is a rule of the newest row: events in a window stay in it. "
                "Drop it."
            )
    if isinstance(history.known, Committed) and group.cadence is None:
        raise DeclarationError(
            f"{where}: Committed compares days of partitions, but source {source.name!r} has none. Name a column."
        )
