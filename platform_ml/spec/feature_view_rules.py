"""What a feature view must obey: every group can be joined, and nothing in it tells of the outcome."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.event_label import EventLabel
from platform_ml.spec.history import AsOf, Mutations, PerRow
from platform_ml.spec.label import KNOWN_TIME
from platform_ml.spec.naming import check_known
from platform_ml.spec.response import Response
from platform_ml.spec.schema import Timestamp, check_same_type

if TYPE_CHECKING:
    from platform_ml.spec.feature_group import FeatureGroup, Selection
    from platform_ml.spec.feature_view import FeatureView


def check_join(view: FeatureView, selection: Selection) -> None:
    """Keys and moments that the label has, and knowledge that the group has."""
    group, spine = selection.group, view.label.columns
    where = f"Feature view {view.name!r}, group {group.name!r}"
    for key, column in selection.keys.items():
        if column not in spine:
            raise DeclarationError(
                f"{where} describes {', '.join(group.keys)!r}, but label {view.label.name!r} has no column "
                f"{column!r}; it has {', '.join(spine)}. Say where to find it: .role(on={{{key!r}: ...}})."
            )
        if column in {view.label.name, KNOWN_TIME}:
            raise DeclarationError(
                f"{where} leaks: it is found by {column!r}, which tells the outcome. Join by something that is known "
                "before."
            )
        check_same_type(where, column, spine[column], group.name, group.types[key])
    if selection.at is not None:
        check_known(where, "moment", [selection.at], [n for n, kind in spine.items() if isinstance(kind, Timestamp)])
        if selection.at == KNOWN_TIME:
            raise DeclarationError(f"{where} leaks: as of {KNOWN_TIME!r} the outcome is known. Drop `at`.")
        if group.rules is None:
            raise DeclarationError(f"{where} has no time, so `at` means nothing. Drop it.")
    if isinstance(view.knowledge, AsOf) and group.rules is not None and not group.rules.knows:
        raise DeclarationError(
            f"{where} does not record when its rows became known, so it cannot be read as of "
            f"{view.knowledge.moment:%Y-%m-%d}. Declare `created` or `known` in its history."
        )


def check_learning(view: FeatureView) -> None:
    """A label that is called self-supervised is made of records that features read, too."""
    label = view.label
    sources = {selection.group.source.name for selection in view.feature_selections}
    if label.learning == "self-supervised" and label.outcome_source.name not in sources:
        raise DeclarationError(
            f"Feature view {view.name!r}: label {label.name!r} is called self-supervised, but no feature is made of "
            f"its source {label.outcome_source.name!r}. Drop self_supervised, or add such features."
        )


def check_leaks(view: FeatureView, selection: Selection) -> None:
    """No moments that a model sees, and of the label's own events only what is over and known."""
    group, types, where = selection.group, selection.group.types, f"Feature view {view.name!r}"
    seen = selection in view.feature_selections
    for name, feature in selection.columns.items():
        if seen and isinstance(feature.result(types), Timestamp):
            raise DeclarationError(
                f"{where}: {name!r} of {group.name!r} is a moment, which may lie after that of the row, so it can "
                "leak. Derive an age or a flag from it in the source."
            )
    if group.source.name == view.label.outcome_source.name and group.of_events:
        _check_own_events(view, selection)


def _check_own_events(view: FeatureView, selection: Selection) -> None:
    """Events at the very moment are part of the outcome, and what became of earlier ones may not be known yet."""
    group, label, rules = selection.group, view.label, selection.group.rules
    for name, feature in selection.columns.items():
        closed = str(getattr(feature, "edges", "")).endswith("]")
        if rules is not None and (closed if feature.exact else rules.bound == "<="):
            raise DeclarationError(
                f"Feature view {view.name!r} leaks: {name!r} of {group.name!r} derives from the events that label "
                f"{label.name!r} predicts, and may see the very event. Use bound='<' in its history, and windows with "
                "an open end."
            )
        if not isinstance(label, EventLabel) or isinstance(label.event, Response) or _waits(view, group, label):
            continue  # what has followed an earlier row is known when it follows
        for column in feature.columns():
            if told := label.outcome_in(column, group.derived):
                raise DeclarationError(
                    f"Feature view {view.name!r} leaks: {name!r} of {group.name!r} reads {told!r}, which is known at "
                    f"{label.event.known!r}, but its rows are used before. Use event_time={label.event.known!r} in its "
                    f"history, or a delay of {label.horizon_days} days."
                )


def _waits(view: FeatureView, group: FeatureGroup, label: EventLabel) -> bool:
    """Whether an event is used only when its outcome is known."""
    rules = group.rules
    if rules is None or isinstance(label.event, Response):
        return False
    known = label.event.known
    here, there = ({one.name: one.sql for one in derived}.get(known) for derived in (group.derived, label.derived))
    if here == there:
        by_column = rules.created == known and isinstance(view.knowledge, PerRow)
        by_life = isinstance(rules.known, Mutations) and rules.known.known_from == known
        if rules.event_time == known or by_column or (by_life and not isinstance(view.knowledge, AsOf)):
            return True
    own_time = rules.event_time in {None, label.source.event_time}
    return own_time and rules.delay >= timedelta(days=label.horizon_days)
