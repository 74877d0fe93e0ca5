"""Skew between training and serving: the same row, with other features. Which ones, where, and what changed since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform_ml.engine.audit import Check, Finding
from platform_ml.engine.feature_view import group_keys
from platform_ml.engine.ports import PARTITION, Files
from platform_ml.engine.row_diff import row_changes
from platform_ml.spec.feature_group import EVENT_TIME
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Compute, Snapshot
    from platform_ml.spec.feature_group import FeatureGroup
    from platform_ml.spec.feature_view import FeatureView

SHOWN = 3
SKEW = Check(
    name="no_skew",
    blocking=False,
    description="Where the training view has the same row, its features are the same there, bit for bit.",
)


@dataclass(frozen=True, kw_only=True)
class Skewed:
    """A feature that the training view has otherwise."""

    feature: str
    rows: int
    """Of those that are on both sides."""
    example: str
    """The first of them: its key, the value in training, the value that is served."""
    why: str

    def __str__(self) -> str:
        return f"{self.feature} differs in {self.rows:,} rows, first {self.example}: {self.why}"


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Served rows of a partition beside those of the training view."""

    rows: int
    """On both sides."""
    only_trained: int
    only_served: int
    skewed: tuple[Skewed, ...]


def compare(
    view: FeatureView, key: str, read: Mapping[str, Snapshot], served: pa.Table, *, work: Work
) -> Compared | None:
    """The rows that are served of a moment beside those of the training view; None where it has none of it (yet).

    Args:
        view: the one that training datasets are cut from.
        key: the partition.
        read: group → the version of its table that was served.
        served: keys, moment and features, with `_partition`.
        work: where the view's table is.
    """
    import pyarrow.compute as pc

    snapshot = work.platform.tables.snapshot(work.table(view))
    if snapshot is None or key not in snapshot.partitions:
        return None
    compute, keys = work.platform.compute, [*view.label.key, EVENT_TIME]
    names = [name for name in view.feature_names if name in snapshot.schema.names]
    picked = ", ".join(map(identifier, [PARTITION, *keys, *names]))
    files = Files(paths=snapshot.paths([key]), schema=snapshot.schema)
    before = compute.query(f"SELECT {picked} FROM trained", {"trained": files}).table()
    after = served.filter(pc.equal(served[PARTITION], key)).select([PARTITION, *keys, *names])
    inputs = {"before": _bits(before, names), "after": _bits(after, names)}
    changes = row_changes(inputs, key=keys, columns=names, group=PARTITION, compute=compute)
    both = [one for one in changes if one.was and one.now]
    skewed = [
        Skewed(
            feature=name,
            rows=rows,
            example=_example(name, keys, {"before": before, "after": after}, inputs, compute),
            why=_why(view, name, key, snapshot, read, work),
        )
        for one in both
        for name, rows in one.columns.items()
    ]
    return Compared(
        rows=sum(one.rows for one in both),
        only_trained=sum(one.rows for one in changes if not one.now),
        only_served=sum(one.rows for one in changes if not one.was),
        skewed=tuple(skewed),
    )


def skew_finding(view: FeatureView, key: str, read: Mapping[str, Snapshot], served: pa.Table, *, work: Work) -> Finding:
    """The verdict on one partition; a moment that training never saw passes."""
    found = compare(view, key, read, served, work=work)
    if found is None:
        reason = f"{work.table(view)} has no rows of this moment: its outcome is not known yet."
        return Finding(check=SKEW, partition=key, passed=True, reason=reason)
    names = [one.feature for one in found.skewed]
    more = f" And {', '.join(names[SHOWN:])}." if names[SHOWN:] else ""
    beside = "".join(
        f" {count:,} rows are only {where}."
        for count, where in ((found.only_trained, "in training"), (found.only_served, "served"))
        if count
    )
    said = " ".join(f"{one}." for one in found.skewed[:SHOWN]) or "All features are the same."
    return Finding(
        check=SKEW,
        partition=key,
        passed=not names,
        reason=f"{found.rows:,} rows are in training, too. {said}{more}{beside}",
        numbers={"rows": found.rows, "features": len(names)},
    )


def _bits(rows: pa.Table, names: Sequence[str]) -> pa.Table:
    """Floating-point numbers as the bits that they are: -0.0 is not 0.0 here."""
    import pyarrow as pa

    for name in names:
        if pa.types.is_floating(rows.schema.field(name).type):
            place = rows.column_names.index(name)
            rows = rows.set_column(place, name, rows[name].combine_chunks().view(pa.int64()))
    return rows


def _example(
    name: str, keys: Sequence[str], rows: Mapping[str, pa.Table], bits: Mapping[str, pa.Table], compute: Compute
) -> str:
    on = " AND ".join(f"before.{identifier(one)} = after.{identifier(one)}" for one in keys)
    sql = f"""
        SELECT {", ".join(f"before.{identifier(one)}" for one in keys)} FROM before JOIN after ON {on}
        WHERE before.{identifier(name)} IS DISTINCT FROM after.{identifier(name)} ORDER BY ALL LIMIT 1"""
    (first,) = compute.query(sql, dict(bits)).table().to_pylist()
    values = [_value(side, first, name, compute) for side in rows.values()]
    who = ", ".join(f"{one} {first[one]}" for one in keys if one != EVENT_TIME)
    return f"for {who} ({values[0]} in training, {values[1]} served)"


def _value(rows: pa.Table, key: Mapping[str, Any], name: str, compute: Compute) -> Any:
    at = " AND ".join(f"{identifier(one)} = {literal(value)}" for one, value in key.items() if one != EVENT_TIME)
    sql = f"SELECT {identifier(name)} AS value FROM rows WHERE {at} LIMIT 1"
    return compute.query(sql, {"rows": rows}).table()["value"][0].as_py()


def _why(view: FeatureView, name: str, key: str, trained: Snapshot, read: Mapping[str, Snapshot], work: Work) -> str:
    """What of its group was committed between what training read and what was served."""
    state = trained.partitions[key]
    if name not in view.joined:
        return f"{view.label.source.name} has other events than when the label was made"
    group = view.joined[name][0]
    then = state.read.get(group.name)
    if then is not None and (said := _changed(group, group_keys(group, view, key), then, read[group.name], work)):
        return said
    if state.fingerprint != fingerprint(view):
        return f"the training view was joined by another declaration ({state.fingerprint[:8]})"
    return f"nothing that was recorded of {group.name} explains it"


def _changed(group: FeatureGroup, keys: Sequence[str], then: int, served: Snapshot, work: Work) -> str:
    newest = work.platform.tables.snapshot(served.table) or served
    sides = {day: (newest.at(day, then), newest.at(day, served.version)) for day in keys}
    later = {}
    for day, states in sides.items():
        old, new = states if then < served.version else states[::-1]
        if new is not None and (old is None or old.content != new.content):
            later[day] = old, new
    if not later:
        return ""
    last = max(later, key=lambda day: (later[day][1].created, day))
    old, new = later[last]
    what = "the training view was made" if then < served.version else "these rows were served"
    by = ", by another declaration of it" if old is not None and old.fingerprint != new.fingerprint else ""
    return (
        f"{len(later):,} of the {len(keys):,} partitions of {group.name} that it reads changed after {what} (training "
        f"has version {then}, served was {served.version}), last {last} on {new.created:%Y-%m-%d %H:%M} by run "
        f"{new.run_id[:8]}{by}"
    )
