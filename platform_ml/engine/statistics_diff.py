"""Two versions of a table compared by their statistics alone: no row is read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from platform_ml.checks.distances import (
    LEAST,
    bins,
    categories,
    jensen_shannon,
    pooled,
    shares,
    size,
    spread,
    stability,
)
from platform_ml.engine.statistics import TOP
from platform_ml.spec.errors import PlatformError, did_you_mean
from platform_ml.spec.statistics import ColumnStatistics, PartitionStatistics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from platform_ml.checks.distances import Weighted
    from platform_ml.engine.platform import Work
    from platform_ml.spec.project import Noun


@dataclass(frozen=True, kw_only=True)
class ColumnChange:
    """One column before and after; None where a version does not have it."""

    column: str
    before: ColumnStatistics | None
    after: ColumnStatistics | None
    distance: float | None
    """PSI of numbers, the distance of Jensen and Shannon of categories; None of times, and without values."""


@dataclass(frozen=True, kw_only=True)
class PartitionChange:
    """A partition that both versions have, with other rows."""

    partition: str
    before: int
    """Rows."""
    after: int
    columns: Sequence[ColumnChange]
    """Those that are not the same; none where a version was written without statistics."""


@dataclass(frozen=True, kw_only=True)
class TableDiff:
    """What is otherwise in one version of a table than in another."""

    before: str
    after: str
    same: int
    """Partitions with the same rows."""
    added: Mapping[str, int]
    """Partition → rows."""
    removed: Mapping[str, int]
    changed: Sequence[PartitionChange]
    columns: Sequence[ColumnChange]
    """Of all changed partitions together; where none changed, of the added ones beside all that were there before."""


def compare(before: PartitionStatistics, after: PartitionStatistics) -> list[ColumnChange]:
    """Every column that is not the same in both, in the order of the later version."""
    return [
        ColumnChange(
            column=name,
            before=before.columns.get(name),
            after=after.columns.get(name),
            distance=_distance(pooled(name, [before]), pooled(name, [after])),
        )
        for name in dict.fromkeys([*after.columns, *before.columns])
        if before.columns.get(name) != after.columns.get(name)
    ]


def compare_versions(noun: Noun, before: int, after: int, *, work: Work, only: str | None = None) -> TableDiff:
    """What changed in a table from one version to another, or in one partition of it.

    Raises:
        PlatformError: a version is not there, or does not have the partition, or no statistics of it.
    """
    tables, name = work.platform.tables, work.table(noun)
    old, new = tables.snapshot(name, before), tables.snapshot(name, after)
    if old is None or new is None:
        raise PlatformError(f"{name}: there is no version {before if old is None else after}. Versions begin with 1.")
    for snapshot in (old, new):
        if only is not None and only not in snapshot.partitions:
            raise PlatformError(
                f"{name}, version {snapshot.version}: there is no partition {only!r}."
                f"{did_you_mean(only, snapshot.partitions)}"
            )
    was, now = ({key: one.rows for key, one in s.partitions.items() if only in {None, key}} for s in (old, new))
    other = sorted(k for k in was.keys() & now.keys() if old.partitions[k].content != new.partitions[k].content)
    added = {key: now[key] for key in sorted(now.keys() - was.keys())}
    sides = (other, other) if other else (sorted(was), sorted(added))
    measured = [tables.statistics(s, keys) for s, keys in zip((old, new), sides, strict=True)]
    if only is not None and other and not all(measured):
        raise PlatformError(
            f"{name}: a version has no statistics of partition {only!r}. Compare versions that were written since "
            "statistics are kept."
        )
    return TableDiff(
        before=f"{name}, version {before}",
        after=f"{name}, version {after}",
        same=len(was.keys() & now.keys()) - len(other),
        added=added,
        removed={key: was[key] for key in sorted(was.keys() - now.keys())},
        changed=[
            PartitionChange(
                partition=key,
                before=was[key],
                after=now[key],
                columns=compare(measured[0][key], measured[1][key]) if all(key in one for one in measured) else [],
            )
            for key in other
        ],
        columns=_together(*([one[key] for key in sorted(one)] for one in measured)),
    )


def _together(before: Sequence[PartitionStatistics], after: Sequence[PartitionStatistics]) -> list[ColumnChange]:
    """Several partitions on either side as one each; nothing where a side is empty."""
    if not before or not after:
        return []
    one, other = merged(before), merged(after)
    return [
        replace(change, distance=_distance(pooled(change.column, before), pooled(change.column, after)))
        for change in compare(one, other)
    ]


def merged(partitions: Sequence[PartitionStatistics]) -> PartitionStatistics:
    """Statistics of several partitions as if they were one, without quantiles; `distinct` is that of the richest."""
    names = dict.fromkeys(name for one in partitions for name in one.columns)
    return PartitionStatistics(
        rows=sum(one.rows for one in partitions),
        sampled=sum(one.sampled for one in partitions),
        columns={name: _column([one for one in partitions if name in one.columns], name) for name in names},
    )


def _column(partitions: Sequence[PartitionStatistics], name: str) -> ColumnStatistics:
    columns = [one.columns[name] for one in partitions]
    counts = [(one.rows - c.nulls - c.not_finite, c) for one, c in zip(partitions, columns, strict=True)]
    counted = [(float(n), c) for n, c in counts if n and c.mean is not None]
    total = sum(n for n, _ in counted)
    top: Counter[str] = Counter()
    for one in columns:
        top.update(one.top)
    lows = [c.minimum for c in columns if c.minimum is not None]
    highs = [c.maximum for c in columns if c.maximum is not None]
    return ColumnStatistics(
        kind=columns[-1].kind,
        nulls=sum(one.nulls for one in columns),
        distinct=max(one.distinct for one in columns),
        not_finite=sum(one.not_finite for one in columns),
        minimum=min(lows, key=_order, default=None),
        maximum=max(highs, key=_order, default=None),
        mean=sum(n * (c.mean or 0.0) for n, c in counted) / total if total else None,
        std=spread(counted) if total else None,
        top=dict(top.most_common(TOP)),
        complete=all(one.complete for one in columns) and len(top) <= TOP,
    )


def _order(end: float | str) -> tuple[bool, Any]:
    """Numbers before text, where a column changed its type between partitions."""
    return isinstance(end, str), end


def _distance(before: Weighted, after: Weighted) -> float | None:
    if not before or not after or before[0][1].kind != after[0][1].kind:
        return None
    if before[0][1].kind == "category":
        return jensen_shannon(categories(before, after))
    edges = bins(before)
    least = LEAST / size(before), LEAST / size(after)
    return stability(shares(before, edges), shares(after, edges), least)
