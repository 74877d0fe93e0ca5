"""`platform-ml rejected` and `platform-ml replay`: what was not let in, and how it gets in once it is fixed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from platform_ml.engine import quarantine
from platform_ml.engine.ports import WHOLE
from platform_ml.orchestration.demo import run_dagster
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.spec.errors import PlatformError, did_you_mean
from platform_ml.spec.naming import counted
from platform_ml.spec.source import Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.spec.project import Project

SHOWN = 160
"""Characters of a record."""


def rejected(projects: Sequence[Project], name: str | None, partition: str | None) -> int:
    """Print what is in quarantine: where it came from, what is wrong with it, and how it came."""
    rows = files = 0
    for project, source in _sources(projects, name):
        work = PlatformResource().work(project.name, lambda _: None)
        where = f"{project.name}/{source.name}"
        for row in quarantine.rejected_rows(source, work=work, key=partition):
            line = "" if row.line is None else f", line {row.line}"
            number = "" if row.row == row.file_row else f" (row_number {row.row})"
            print(f"{where}  {row.partition}  {row.file}, row {row.file_row}{number}{line}: {row.reasons}")
            print(f"    {row.record if len(row.record) <= SHOWN else row.record[:SHOWN] + ' ...'}")
            rows += 1
        for file in quarantine.rejected_files(source, work=work, key=partition):
            print(f"{where}  {file.partition}  {file.name}, the whole file ({file.size:,} bytes): {file.reason}")
            print(f"    {file.path}")
            files += 1
    print(f"In quarantine: {counted(rows, 'row')}, {counted(files, 'whole file')}.")
    return 0


def replay(projects: Sequence[Project], name: str, partition: str | None, fixes: str | None) -> int:
    """Take fixed rows in and materialize the partition again; without fixes, judge its file anew."""
    found = _sources(projects, name)
    if len(found) != 1:
        raise PlatformError(f"{name} is a source of {len(found)} projects. Add --project.")
    project, source = found[0]
    if (partition is None) != (source.cadence is None):
        raise PlatformError(
            f"{name} has {'no partitions: leave out' if partition else 'partitions: name'} --partition."
        )
    key = partition or WHOLE
    work = PlatformResource().work(project.name, print)
    if fixes:
        count = quarantine.fix(source, key, Path(fixes), work=work)
        print(f"{project.name}/{source.name}, partition {key}: {counted(count, 'fixed row')} taken in")
    failed = run_dagster([f"{project.name}/{source.name}"], partition=partition or "")
    return failed or rejected([project], name, key)


def _sources(projects: Sequence[Project], name: str | None) -> list[tuple[Project, Source]]:
    known = [(project, source) for project in projects for source in project.all(Source)]
    found = [(project, source) for project, source in known if name in {None, source.name}]
    if not found and name is not None:
        names = [source.name for _, source in known]
        raise PlatformError(f"There is no source {name!r}.{did_you_mean(name, names)} Known: {', '.join(names)}.")
    return found
