"""`platform-ml reproduce`: a published dataset made again, and what differs."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from platform_ml.engine.reference import resolve
from platform_ml.engine.reproduction import reproduce as made_again
from platform_ml.orchestration.environment import environment
from platform_ml.orchestration.resources import PlatformResource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.engine.recut import Level
    from platform_ml.spec.project import Project

SHOWN = 20
"""Differences of one level that are printed."""


def reproduce(text: str, projects: Sequence[Project], *, deep: bool) -> int:
    """Print whether `DATASET@VERSION` can be made again; 0 only when every level is identical."""
    resource = PlatformResource()
    reference = resolve(text, projects, resource.platform().artifacts, verify=False)
    work = resource.work(reference.project.name, lambda _: None)
    print(f"{reference}, cutoff {reference.cutoff}")
    with tempfile.TemporaryDirectory(prefix="platform-ml-") as folder:
        scratch = resource.scratch(Path(folder)) if deep else None
        found = made_again(reference, work=work, now=environment(), scratch=scratch)
    for level in found.levels:
        _show(level)
    if found.changed:
        print("Changed since it was built" + (", without effect on the rows:" if found.identical else ":"))
        print("\n".join(f"  {change}" for change in found.changed))
    if found.identical:
        print(f"Identical: the content hash is {reference.artifact.record['content'][:12]}, as published.")
        return 0
    if not found.changed:
        print("Declarations, code and libraries are those that built it: look at the files and commits named above.")
    print("NOT identical.")
    return 1


def _show(level: Level) -> None:
    checked = f": {level.checked}" if level.checked else ""
    print(f"{'same' if level.identical else 'DIFFERENT':<11}{level.name}{checked}")
    for difference in level.differences[:SHOWN]:
        print(f"{'':<11}{difference}")
    if len(level.differences) > SHOWN:
        print(f"{'':<11}and {len(level.differences) - SHOWN:,} more")
