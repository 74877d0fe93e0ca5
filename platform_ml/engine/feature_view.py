"""Feature views: each label row with the features that could be known at its moment, and not one row more."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from platform_ml.engine import labels
from platform_ml.engine.audit import ONE_EACH, RANGES, TABLE_CHECKS, VOLUME, Check, Expectation, Finding
from platform_ml.engine.bounds import bounds
from platform_ml.engine.group_rows import joined_rows
from platform_ml.engine.knowledge import Lives, by_commit, lives
from platform_ml.engine.ports import PARTITION, WHOLE, Files
from platform_ml.engine.schema import arrow_schema
from platform_ml.engine.table import Materialized, Staged, chunks, publish, versions
from platform_ml.features.windowed import Windowed
from platform_ml.spec.event_label import EventLabel
from platform_ml.spec.feature_group import EVENT_TIME
from platform_ml.spec.fingerprint import digest, meaning
from platform_ml.spec.naming import counted
from platform_ml.spec.sql import identifier
from platform_ml.spec.window import moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import pyarrow as pa

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Compute, PartitionState, Snapshot, Stamp
    from platform_ml.spec.feature_group import FeatureGroup
    from platform_ml.spec.feature_view import FeatureView

NOT_AHEAD = Check(
    name="not_ahead", blocking=True, description="No feature is read as of a later moment than that of prediction."
)


def checks(view: FeatureView) -> tuple[Check, ...]:
    """The data checks of a view."""
    own = (NOT_AHEAD,) if any(selection.at for selection in view.selections) else ()
    ranges = (RANGES,) if bounds(view) else ()
    return (*(check for check in TABLE_CHECKS if check != VOLUME), *ranges, ONE_EACH, *own)


def group_keys(group: FeatureGroup, view: FeatureView, key: str) -> list[str]:
    """The group's partitions that may hold what a view partition needs."""
    if group.cadence is None or group.rules is None:
        return [WHOLE]
    rules, step = group.rules, timedelta(days=group.cadence.days)
    first, last = (at - rules.delay for at in labels.moments(view.label, key))
    reach = _reach(group, view)
    if group.of_events:
        # A partition's events lie before its end, or before so many days later.
        oldest = None if reach is None else first - reach - step - timedelta(days=rules.late_days)
        return group.cadence.keys(oldest and oldest.date() + timedelta(days=1), last.date() + timedelta(days=1))
    # A snapshot is known when its partition is over, and speaks until the next one is over.
    if rules.bound == "<":
        last -= timedelta(microseconds=1)
    oldest = first - (reach or timedelta(0))
    found = group.cadence.keys((oldest - step).date(), last.date() + timedelta(days=1))
    return [k for k in found if oldest <= moment(group.cadence.day(k)) + step <= last]


def reach_back(group: FeatureGroup, view: FeatureView) -> timedelta | None:
    """How long before the beginning of a view partition the group's partitions end that it may need; None: ever.

    A snapshot can be used at the very end of its partition, an event only before.
    """
    reach = _reach(group, view)
    if reach is None or group.cadence is None or group.rules is None:
        return None
    late = timedelta(days=group.rules.late_days) if group.of_events else timedelta(microseconds=1)
    return reach + late + group.rules.delay + view.label.lead


def reaches_into(group: FeatureGroup, view: FeatureView) -> bool:
    """Whether a view partition may need the group's partition of its own days, beside earlier ones."""
    if isinstance(view.label, EventLabel):
        return group.of_events or view.label.cadence.days > 1
    return group.of_events and group.rules is not None and not group.rules.delay


def _reach(group: FeatureGroup, view: FeatureView) -> timedelta | None:
    """How long before a moment the rows may lie that any selection of the group sees; None: without end."""
    longest = timedelta(0)
    for selection in view.selections:
        if selection.group != group:
            continue
        ttl = group.rules.ttl if group.rules else None
        for feature in selection.columns.values():
            reach = feature.reach if isinstance(feature, Windowed) else ttl
            if reach is None or selection.at is not None:
                return None
            longest = max(longest, reach)
    return longest


def inputs(view: FeatureView, key: str, tables: Mapping[str, Snapshot]) -> str:
    """The digest of the rows that a partition is computed from."""
    return digest([tables[view.label.name].partitions[key].content, *features_read(view, key, tables)])


def features_read(view: FeatureView, key: str, tables: Mapping[str, Snapshot]) -> list[Any]:
    """Of each group, what its partitions hold that a partition of the view may be joined with."""
    until = labels.moments(view.label, key)[1]
    return [
        [_content(group, view, tables[group.name], found, until) for found in group_keys(group, view, key)]
        for group in view.groups
    ]


def _content(group: FeatureGroup, view: FeatureView, snapshot: Snapshot, key: str, until: datetime) -> Any:
    if not by_commit(group, view):
        return snapshot.partitions[key].content
    found = lives(group, view, snapshot, key, until)
    return [[life.state.content, *(at and at.isoformat() for at in (life.start, life.end))] for life in found]


def materialize_feature_view(view: FeatureView, keys: Sequence[str], *, work: Work, stamp: Stamp) -> list[Materialized]:
    """Join each label partition once with the features known at its moments."""
    done = []
    for some in chunks(keys):
        label = work.read(view.label, some)
        needed = groups_needed(view, some)
        read = {group.name: work.read(group, needed[group.name]) for group in view.groups}
        spine = _spine(view, label, some, work)
        rows = features_at(view, spine, some, read, compute=work.platform.compute)
        read[view.label.name] = label
        digests = {key: inputs(view, key, read) for key in some}
        staged = Staged(rows=rows, inputs=digests, read=versions(read))
        ahead = not_ahead(view, some, spine, work)
        result = publish(view, staged, _expected(view, some, label.partitions), work=work, stamp=stamp, more=ahead)
        done.append(result)
        work.say(f"{work.table(view)}: {rows.num_rows:,} rows of {counted(len(some), 'moment')} up to {some[-1]}")
    return done


def groups_needed(view: FeatureView, keys: Sequence[str]) -> dict[str, list[str]]:
    """Group → its partitions that these partitions of the view may need."""
    return {
        group.name: sorted({found for key in keys for found in group_keys(group, view, key)}) for group in view.groups
    }


def features_at(
    view: FeatureView, spine: pa.Table, keys: Sequence[str], read: Mapping[str, Snapshot], *, compute: Compute
) -> pa.Table:
    """The spine with all that is joined to it: the one way in which features come to rows, labelled or not.

    Args:
        view: what is joined, and by which rules.
        spine: keys and moments of these partitions; whether it has an outcome makes no difference.
        keys: the partitions, oldest first.
        read: group → the version of its table to read.
        compute: what reads it.
    """
    until, needed = labels.moments(view.label, keys[-1])[1], groups_needed(view, keys)
    known = {
        group.name: Lives(
            snapshot=read[group.name],
            lives=[life for key in needed[group.name] for life in lives(group, view, read[group.name], key, until)],
            committed=by_commit(group, view),
        )
        for group in view.groups
    }
    return joined_rows(spine, view.selections, known, knowledge=view.knowledge, compute=compute)


def _spine(view: FeatureView, label: Snapshot, keys: Sequence[str], work: Work) -> pa.Table:
    names = ", ".join(map(identifier, [PARTITION, *view.label.columns]))
    order = ", ".join(map(identifier, [PARTITION, EVENT_TIME, *view.label.key]))
    files = Files(paths=label.paths(keys), schema=label.schema)
    return work.platform.compute.query(f"SELECT {names} FROM spine ORDER BY {order}", {"spine": files}).table()


def _expected(view: FeatureView, keys: Sequence[str], label: Mapping[str, PartitionState]) -> Expectation:
    filled = [name for name, (_, feature) in view.joined.items() if feature.absent is not None]
    return Expectation(
        schema=arrow_schema(view.types),
        required=(
            *view.never_null,
            *(name for name in filled if view.joined[name][1].exact or name in view.helper_names),
        ),
        key=(*view.label.key, EVENT_TIME),
        time=EVENT_TIME,
        span={key: labels.moments(view.label, key) for key in keys},
        exact_rows={key: label[key].rows for key in keys},
        bounds=bounds(view),
    )


def not_ahead(view: FeatureView, keys: Sequence[str], spine: pa.Table, work: Work) -> list[Finding]:
    """Whether any feature is read as of a later moment than that of prediction; nothing where none could be."""
    times = sorted({selection.at for selection in view.selections if selection.at})
    if not times:
        return []
    ahead = ", ".join(f"count_if({identifier(at)} > {EVENT_TIME}) AS {identifier(at)}" for at in times)
    sql = f"SELECT {PARTITION}, {ahead} FROM spine GROUP BY {PARTITION}"
    rows = work.platform.compute.query(sql, {"spine": spine}).table().to_pylist()
    found = {row.pop(PARTITION): row for row in rows}
    findings = []
    for key in keys:
        late = found.get(key, {})
        reason = "; ".join(f"{late.get(at, 0):,} rows are read as of a later {at}" for at in times)
        findings.append(Finding(check=NOT_AHEAD, partition=key, passed=not any(late.values()), reason=f"{reason}."))
    return findings


def not_point_in_time(view: FeatureView) -> list[str]:
    """The groups without event time: joined as last known, which manifest and card say."""
    return [group.name for group in view.groups if group.rules is None]


def join_record(view: FeatureView) -> dict[str, Any]:
    """By what rules the rows were joined, for the manifest."""
    return {
        "knowledge": meaning(view.knowledge),
        "groups": {group.name: meaning(group.rules) for group in view.groups},
        "roles": [
            {"group": s.group.name, "prefix": s.prefix, "keys": s.keys, "as_of": s.at or EVENT_TIME}
            for s in view.selections
        ],
        "not_point_in_time": not_point_in_time(view),
    }
