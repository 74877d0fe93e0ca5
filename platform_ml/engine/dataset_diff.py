"""Two published training datasets compared: rows, columns, distributions, and why they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform_ml.engine.declaration_diff import declaration_changes
from platform_ml.engine.distribution import shifts
from platform_ml.engine.recut import published_rows
from platform_ml.engine.reproduction import code_changes
from platform_ml.engine.row_diff import row_changes
from platform_ml.spec.errors import PlatformError
from platform_ml.spec.feature_group import EVENT_TIME
from platform_ml.spec.training_dataset import SPLIT, SPLITS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from platform_ml.engine.distribution import Shift
    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Tables
    from platform_ml.engine.reference import Reference
    from platform_ml.engine.row_diff import Rows


@dataclass(frozen=True, kw_only=True)
class SplitChange:
    """The rows of one split before and after, by key."""

    split: str
    before: int
    after: int
    added: int
    """Rows that were in no split before."""
    removed: int
    """Rows that are in no split after."""
    changed: int
    """Rows that stayed in this split and have another value in at least one column."""
    label_mean_before: float | None
    """The share of true, or the mean number; None without rows."""
    label_mean_after: float | None


@dataclass(frozen=True, kw_only=True)
class Moved:
    """Rows that changed their split."""

    was: str
    now: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class DatasetDiff:
    """What is otherwise in `after` than in `before`."""

    before: str
    after: str
    same_content: bool
    splits: Sequence[SplitChange]
    moved: Sequence[Moved]
    columns_added: Mapping[str, str]
    """Name → DuckDB type."""
    columns_removed: Mapping[str, str]
    columns_retyped: Mapping[str, tuple[str, str]]
    changed_values: Mapping[str, int]
    """Column → rows, in both datasets, that have another value in it; only columns that differ."""
    shifts: Sequence[Shift]
    """How the values of every column that both have are spread, over all splits."""
    causes: Sequence[str]
    """What the manifests and the tables' commits say is different: declarations, upstream partitions, code."""


def diff(before: Reference, after: Reference, *, work: Work) -> DatasetDiff:
    """Compare two versions row by row; both are read as streams, however large.

    Raises:
        PlatformError: the rows of the two are not told apart by the same key.
    """
    key = _key(before, after)
    old, new = (ref.artifact.record["columns"] for ref in (before, after))
    inputs = {**published_rows(before.artifact, "before")[0], **published_rows(after.artifact, "after")[0]}
    shared = {name: sql for name, sql in new.items() if old.get(name) == sql}
    compute = work.platform.compute
    values = [name for name in shared if name not in key]
    found = row_changes(inputs, key=key, columns=values, group=SPLIT, compute=compute)
    return DatasetDiff(
        before=f"{before}, cutoff {before.cutoff}",
        after=f"{after}, cutoff {after.cutoff}",
        same_content=before.artifact.record["content"] == after.artifact.record["content"],
        splits=[_split(split, found, before, after) for split in SPLITS],
        moved=[Moved(was=r.was, now=r.now, rows=r.rows) for r in found if r.was and r.now and r.was != r.now],
        columns_added={name: sql for name, sql in new.items() if name not in old},
        columns_removed={name: sql for name, sql in old.items() if name not in new},
        columns_retyped={name: (old[name], sql) for name, sql in new.items() if old.get(name, sql) != sql},
        changed_values={name: count for name in values if (count := sum(rows.columns.get(name, 0) for rows in found))},
        shifts=shifts(inputs, shared, compute),
        causes=causes(before, after, work.platform.tables),
    )


def causes(before: Reference, after: Reference, tables: Tables) -> list[str]:
    """Why two versions differ, as far as manifests and commits know; upstream first."""
    old, new = before.artifact.record, after.artifact.record
    found = []
    if before.cutoff != after.cutoff:
        found.append(f"cutoff: {before.cutoff} → {after.cutoff}")
    if "declaration" in old and "declaration" in new:
        found += [f"declaration: {text}" for text in declaration_changes(old["declaration"], new["declaration"])]
    elif old["fingerprint"] != new["fingerprint"]:
        found.append("declaration: another fingerprint")
    if old["split"]["rule"] != new["split"]["rule"]:
        found.append(f"split rule: {old['split']['rule']} → {new['split']['rule']}")
    if old.get("semantics") != new.get("semantics"):
        found.append(f"the platform's SEMANTICS: {old.get('semantics')} → {new.get('semantics')}")
    found += _upstream(old["tables"], new["tables"], tables)
    return found + code_changes(old["made_by"], new["made_by"])


def _key(before: Reference, after: Reference) -> list[str]:
    key = after.dataset.view.label.key
    for ref in (before, after):
        if missing := [name for name in key if name not in ref.artifact.record["columns"]]:
            raise PlatformError(
                f"{ref} has no column {missing[0]!r}, by which the rows of {after} are told apart. "
                "Compare datasets of the same entity."
            )
    return [*key, EVENT_TIME]


def _split(split: str, found: Sequence[Rows], before: Reference, after: Reference) -> SplitChange:
    sides = [ref.artifact.record["split"]["splits"][split] for ref in (before, after)]
    means = [_mean_label(side) for side in sides]
    count = {(rows.was, rows.now): rows for rows in found}
    stayed = count.get((split, split))
    return SplitChange(
        split=split,
        before=sides[0]["rows"],
        after=sides[1]["rows"],
        added=count[None, split].rows if (None, split) in count else 0,
        removed=count[split, None].rows if (split, None) in count else 0,
        changed=stayed.changed if stayed else 0,
        label_mean_before=means[0],
        label_mean_after=means[1],
    )


def _mean_label(side: Mapping[str, Any]) -> float | None:
    """Manifests from before labels could be numbers count positives."""
    if "positives" in side:
        return side["positives"] / side["rows"] if side["rows"] else None
    mean: float | None = side["mean_label"]
    return mean


def _upstream(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]], tables: Tables) -> list[str]:
    names = dict.fromkeys(used["table"] for used in [*new, *old])
    return [text for name in names if (text := _table(name, _of(old, name), _of(new, name), tables))]


def _of(used: Sequence[Mapping[str, Any]], name: str) -> list[Mapping[str, Any]]:
    return [one for one in used if one["table"] == name]


def _table(name: str, old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]], tables: Tables) -> str:
    """What is different in the partitions that were used of one table; empty when nothing is."""
    if not old or not new:
        return f"table {name}: {'was not used before' if new else 'is not used any more'}"
    try:
        was, now = _contents(old, tables), _contents(new, tables)
    except PlatformError as error:
        same = sorted(one["content"] for one in old) == sorted(one["content"] for one in new)
        return "" if same else f"table {name}: other rows; its commits cannot be read ({error})"
    parts = [
        (f"{len(keys)} {what} ({_span(keys)})")
        for what, keys in (
            ("with other rows", sorted(key for key in was.keys() & now.keys() if was[key] != now[key])),
            ("more", sorted(now.keys() - was.keys())),
            ("fewer", sorted(was.keys() - now.keys())),
        )
        if keys
    ]
    versions = " → ".join(", ".join(str(v) for v in sorted({one["version"] for one in side})) for side in (old, new))
    return f"table {name}, version {versions}: partitions: {', '.join(parts)}" if parts else ""


def _contents(used: Sequence[Mapping[str, Any]], tables: Tables) -> dict[str, set[str]]:
    """Partition → the contents that were used of it: more than one where it was replaced between two readings."""
    found: dict[str, set[str]] = {}
    for one in used:
        snapshot = tables.snapshot(one["table"], one["version"])
        for key in one["partitions"]:
            state = snapshot.partitions.get(key) if snapshot else None
            found.setdefault(key, set()).add(state.content if state else "gone")
    return found


def _span(keys: Sequence[str]) -> str:
    return keys[0] if len(keys) == 1 else f"{keys[0]} to {keys[-1]}"
