"""Projects that are YAML files: read as the same declarations, with errors that name file, line and key."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from platform_ml.spec.project import Project


def yaml_projects(folder: Path) -> tuple[Project, ...]:
    """The projects of the YAML files of a folder, by file name; without one, nothing is loaded to read them."""
    files = sorted(folder.glob("*.yaml"))
    if not files:
        return ()
    from platform_ml.documents.tabular_project import read

    return tuple(read(file.read_text(encoding="utf-8"), str(file)) for file in files)
