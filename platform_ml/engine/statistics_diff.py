"""Two versions of a partition compared by their statistics alone: no row is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.checks.distances import LEAST, bins, categories, jensen_shannon, pooled, shares, size, stability
from platform_ml.spec.errors import PlatformError

if TYPE_CHECKING:
    from platform_ml.checks.distances import Weighted
    from platform_ml.engine.platform import Work
    from platform_ml.spec.project import Noun
    from platform_ml.spec.statistics import ColumnStatistics, PartitionStatistics


@dataclass(frozen=True, kw_only=True)
class ColumnChange:
    """One column before and after; None where a version does not have it."""

    column: str
    before: ColumnStatistics | None
    after: ColumnStatistics | None
    distance: float | None
    """PSI of numbers, the distance of Jensen and Shannon of categories; None of times, and without values."""


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


def compare_versions(noun: Noun, partition: str, before: int, after: int, *, work: Work) -> list[ColumnChange]:
    """What changed in a partition of a table from one version to another.

    Raises:
        PlatformError: a version does not have the partition, or no statistics of it.
    """
    found = []
    for version in (before, after):
        snapshot = work.platform.tables.snapshot(work.table(noun), version)
        measured = work.platform.tables.statistics(snapshot, [partition]) if snapshot else {}
        if partition not in measured:
            raise PlatformError(
                f"{work.table(noun)}, version {version}: there are no statistics of partition {partition!r}. Compare "
                "versions that have it and were written since statistics are kept."
            )
        found.append(measured[partition])
    return compare(*found)


def _distance(before: Weighted, after: Weighted) -> float | None:
    if not before or not after or before[0][1].kind != after[0][1].kind:
        return None
    if before[0][1].kind == "category":
        return jensen_shannon(categories(before, after))
    edges = bins(before)
    least = LEAST / size(before), LEAST / size(after)
    return stability(shares(before, edges), shares(after, edges), least)
