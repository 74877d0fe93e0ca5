"""`platform-ml export`: a published training dataset as files for others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from platform_ml.engine.dvc import fill, point
from platform_ml.engine.export import MANIFEST, export, format_named
from platform_ml.engine.reference import resolve
from platform_ml.orchestration.resources import PlatformResource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.engine.export import Export
    from platform_ml.spec.project import Project

REPOSITORY, CACHE = ".dvc", Path(".dvc", "cache")
SHOWN = 3
"""Columns that are named."""


def export_dataset(
    text: str,
    projects: Sequence[Project],
    *,
    form: str,
    to: str,
    splits: Sequence[str],
    rows_per_file: int,
    dvc: bool = False,
) -> int:
    """Export `DATASET@VERSION` and say what was written and what the format does not keep."""
    chosen = format_named(form)
    found = resolve(text, projects, PlatformResource().platform().artifacts, verify=False)  # exporting does
    name = f"{found.project.name}/{found.dataset.name}"
    done = export(found.artifact, chosen, Path(to), name=name, splits=splits, rows_per_file=rows_per_file)
    print(f"{found}, cutoff {found.cutoff}, as {form} in {to}")
    for split, written in done.manifest["splits"].items():
        files = [file["path"] for file in written["files"]]
        print(
            f"  {split:<11} {written['rows']:>12,} rows  {files[0]}{f' and {len(files) - 1} more' * (len(files) > 1)}"
        )
    print(f"  {MANIFEST:<11} {len(done.manifest['files']):>12,} checksums")
    if dvc:
        _under_dvc(done)
    for kind, why in done.manifest["loses"].items():
        names = [column["name"] for column in done.manifest["columns"] if column["type"] == kind]
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        print(f"  not exact: {', '.join(names[:SHOWN])}{more} ({kind}). {why}")
    return 0


def _under_dvc(done: Export) -> None:
    """The pointer, and in a repository of DVC its objects."""
    print(f"  {point(done)}: add it to git, and {done.folder.name} to .gitignore")
    home = next((folder for folder in done.folder.absolute().parents if (folder / REPOSITORY).is_dir()), None)
    if home is not None:
        print(f"  {home / CACHE}: {fill(done, home / CACHE)} files added; `dvc push` sends them")
