"""`platform-ml diff TABLE@1 TABLE@2`: two versions of a table compared by the statistics of their partitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.engine.statistics_diff import compare_versions
from platform_ml.spec.errors import PlatformError, did_you_mean
from platform_ml.spec.event_label import EventLabel
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.label import Label
from platform_ml.spec.source import Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.engine.platform import Work
    from platform_ml.engine.statistics_diff import ColumnChange, TableDiff
    from platform_ml.orchestration.resources import PlatformResource
    from platform_ml.spec.project import Noun, Project
    from platform_ml.spec.statistics import ColumnStatistics

TABLES = (Source, FeatureGroup, Label, EventLabel, FeatureView)
LATEST = "latest"
LISTED = 20
"""Changed partitions that are shown."""
SHIFTED = 3
"""Columns that are named beside a partition, and values of a text column in a line."""


def is_table(text: str, projects: Sequence[Project]) -> bool:
    """Whether NAME@VERSION is about a table, not about a training dataset."""
    name, _, version = text.partition("@")
    return bool(_found(name, projects)) or (version.isdecimal() and len(version) < len("123456"))


def table_diff(
    before: str, after: str, projects: Sequence[Project], resource: PlatformResource, *, only: str | None
) -> TableDiff:
    """Compare two versions of one table, or of one partition of it."""
    (project, noun, old), (other, same, new) = (_resolved(text, projects) for text in (before, after))
    if (project.name, noun.name) != (other.name, same.name):
        raise PlatformError(f"{before} and {after} are two tables. Compare versions of one.")
    work = resource.work(project.name, lambda _: None)
    return compare_versions(noun, _version(noun, old, work), _version(noun, new, work), work=work, only=only)


def report(found: TableDiff) -> list[str]:
    """The comparison as lines of text."""
    lines = [f"before  {found.before}", f"after   {found.after}", ""]
    parts = (
        ("more", found.added),
        ("fewer", found.removed),
        ("with other rows", [one.partition for one in found.changed]),
    )
    said = [f"{len(keys):,} {what}{_span(list(keys))}" for what, keys in parts]
    lines.append(f"partitions: {', '.join(said)}, {found.same:,} the same")
    if found.changed:
        lines += ["", f"{'partition':<12}{'rows before':>12}{'after':>12}  most shifted"]
    for one in found.changed[:LISTED]:
        names = ", ".join(f"{c.column} {_number(c.distance)}" for c in _ordered(one.columns)[:SHIFTED])
        lines.append(f"{one.partition:<12}{one.before:>12,}{one.after:>12,}  {names or '-'}")
    if (more := len(found.changed) - LISTED) > 0:
        lines.append(f"and {more:,} more; name one with --partition")
    if not found.columns:
        return [*lines, "", "No column is spread otherwise."] if found.changed else lines
    of = "partitions with other rows" if found.changed else "added partitions beside all before"
    width = max(len(one.column) for one in found.columns) + 2
    lines += ["", f"columns of the {of}", f"{'values':<{width}}{'distance':>9}  before → after"]
    return lines + [f"{c.column:<{width}}{_number(c.distance):>9}  {_shown(c)}" for c in _ordered(found.columns)]


def _found(name: str, projects: Sequence[Project]) -> list[tuple[Project, Noun]]:
    known = _known(projects)
    return [known[whole] for whole in known if name in (whole, whole.partition("/")[2])]


def _known(projects: Sequence[Project]) -> dict[str, tuple[Project, Noun]]:
    return {
        f"{one.name}/{noun.name}": (one, noun) for one in projects for noun in one.nouns if isinstance(noun, TABLES)
    }


def _resolved(text: str, projects: Sequence[Project]) -> tuple[Project, Noun, str]:
    name, _, version = text.partition("@")
    found, known = _found(name, projects), _known(projects)
    if not found:
        near = did_you_mean(name, [*known, *(whole.partition("/")[2] for whole in known)])
        raise PlatformError(f"There is no table {name!r}.{near} Known: {', '.join(known)}.")
    if len(found) > 1:
        raise PlatformError(f"More than one project has a table {name!r}. Write project/{name}.")
    if version != LATEST and not version.isdecimal():
        raise PlatformError(f"{text!r} names no version of a table. Write {name}@{LATEST}, or a number.")
    return (*found[0], version)


def _version(noun: Noun, version: str, work: Work) -> int:
    if version != LATEST:
        return int(version)
    return work.read(noun, []).version


def _ordered(columns: Sequence[ColumnChange]) -> list[ColumnChange]:
    return sorted(columns, key=lambda one: -(one.distance or 0.0))


def _shown(change: ColumnChange) -> str:
    """Only those figures that differ."""
    if change.before is None or change.after is None:
        return "a column that was not there" if change.before is None else "a column that is gone"
    was, now = _figures(change.before), _figures(change.after)
    differ = [name for name in {**was, **now} if was.get(name) != now.get(name)]
    return ", ".join(f"{name} {was.get(name, '-')} → {now.get(name, '-')}" for name in differ) or "-"


def _figures(one: ColumnStatistics) -> dict[str, str]:
    ends = {"min": one.minimum, "mean": one.mean, "max": one.maximum, "std": one.std}
    figures = {"nulls": f"{one.nulls:,}"} | {name: _number(end) for name, end in ends.items() if end is not None}
    return figures | {repr(value): f"{count:,}" for value, count in list(one.top.items())[:SHIFTED]}


def _number(value: float | str | None) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else f"{value:.4g}"


def _span(keys: Sequence[str]) -> str:
    if not keys:
        return ""
    return f" ({keys[0]})" if len(keys) == 1 else f" ({keys[0]} to {keys[-1]})"
