"""`platform-ml diff`: two published datasets, or versions of a table, as text for people or as JSON for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from platform_ml.engine import dataset_diff
from platform_ml.engine.reference import resolve
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.orchestration.table_diff import is_table, table_diff
from platform_ml.orchestration.table_diff import report as table_report
from platform_ml.spec.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.engine.dataset_diff import DatasetDiff
    from platform_ml.engine.distribution import Shift, Spread
    from platform_ml.spec.project import Project

SHOWN = 5
"""Values of a text column in a line."""


def diff(before: str, after: str, projects: Sequence[Project], *, as_json: bool, partition: str | None = None) -> int:
    """Print what is otherwise in the second version; `partition` is for tables."""
    resource = PlatformResource()
    if is_table(before, projects):
        changed = table_diff(before, after, projects, resource, only=partition)
        print(json.dumps(asdict(changed), indent=1, allow_nan=False) if as_json else "\n".join(table_report(changed)))
        return 0
    if partition is not None:
        raise PlatformError("--partition is for tables; a dataset is one cutoff. Leave it out.")
    artifacts = resource.platform().artifacts
    old, new = (resolve(text, projects, artifacts) for text in (before, after))
    found = dataset_diff.diff(old, new, work=resource.work(new.project.name, lambda _: None))
    print(json.dumps(asdict(found), indent=1, allow_nan=False) if as_json else "\n".join(report(found)))
    return 0


def report(found: DatasetDiff) -> list[str]:
    """The comparison as lines of text."""
    lines = [f"before  {found.before}", f"after   {found.after}"]
    if found.same_content:
        lines.append("The rows are the same.")
    lines += ["", *_rows(found), *_columns(found), *_values(found)]
    why = found.causes or ["nothing that manifests and commits know of"]
    return [*lines, "", "causes", *(f"  {cause}" for cause in why)]


def _rows(found: DatasetDiff) -> list[str]:
    head = ("rows", "before", "after", "added", "removed", "changed", "label mean before", "after")
    lines = [_line(head, (12, 10, 10, 10, 10, 10, 19, 10))]
    for one in found.splits:
        means = [_number(mean) for mean in (one.label_mean_before, one.label_mean_after)]
        counts = [f"{n:,}" for n in (one.before, one.after, one.added, one.removed, one.changed)]
        lines.append(_line((one.split, *counts, *means), (12, 10, 10, 10, 10, 10, 19, 10)))
    return lines + [f"{one.rows:,} rows moved from {one.was} to {one.now}" for one in found.moved]


def _columns(found: DatasetDiff) -> list[str]:
    lines = [f"  + {name} {sql}" for name, sql in found.columns_added.items()]
    lines += [f"  - {name} {sql}" for name, sql in found.columns_removed.items()]
    lines += [f"  ~ {name} {was} → {now}" for name, (was, now) in found.columns_retyped.items()]
    return ["", "columns", *lines] if lines else []


def _values(found: DatasetDiff) -> list[str]:
    """The columns whose values are spread otherwise, the most shifted first."""
    moved = [one for one in found.shifts if one.before != one.after or one.column in found.changed_values]
    if not moved:
        return ["", "No column is spread otherwise."]
    width = max(len(one.column) for one in moved) + 2
    head = f"{'values':<{width}}{'PSI':>8}{'rows differ':>13}  before → after"
    order = sorted(moved, key=lambda one: (-(one.psi or 0), -found.changed_values.get(one.column, 0)))
    return ["", head, *(_shift(one, width, found) for one in order)]


def _shift(one: Shift, width: int, found: DatasetDiff) -> str:
    """A column with only those of its figures that show a change."""
    differ = f"{found.changed_values.get(one.column, 0):,}"
    pairs = {"nulls": (f"{one.before.null_share:.1%}", f"{one.after.null_share:.1%}")}
    if one.kind == "number":
        names = ("mean", "std", "p5", "p50", "p95")
        pairs |= {n: (_number(one.before.numbers[n]), _number(one.after.numbers[n])) for n in names}
    elif one.kind == "time":
        pairs |= {"first": (one.before.least, one.after.least), "last": (one.before.most, one.after.most)}
    else:
        pairs |= _top(one.before, one.after)
    shown = ", ".join(f"{name} {was} → {now}" for name, (was, now) in pairs.items() if was != now)
    psi = "-" if one.psi is None else f"{one.psi:.4f}"
    return f"{one.column:<{width}}{psi:>8}{differ:>13}  {shown or '-'}"


def _top(before: Spread, after: Spread) -> dict[str, tuple[str, str]]:
    """The values whose share changed most."""
    names = sorted({*before.top, *after.top}, key=lambda name: (-abs(_share(after, name) - _share(before, name)), name))
    return {repr(name): (f"{_share(before, name):.1%}", f"{_share(after, name):.1%}") for name in names[:SHOWN]}


def _share(spread: Spread, name: str) -> float:
    return spread.top.get(name, 0.0)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = zip(cells, widths, strict=True)
    return f"{first[0]:<{first[1]}}" + "".join(f"{cell:>{width}}" for cell, width in rest)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
