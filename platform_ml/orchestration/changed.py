"""`platform-ml changed`: which assets a commit declares otherwise than another one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform_ml.engine import declared as script
from platform_ml.engine.changes import Changes, compare
from platform_ml.engine.declared import declared
from platform_ml.orchestration.environment import ROOT
from platform_ml.spec.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.spec.project import Project

TOLD = """
import json
from platform_ml.projects import PROJECTS
print(json.dumps(declared(PROJECTS)))
"""
"""What the script of today asks of the code of then."""
LONGEST = 120
"""Characters of a difference."""


def show_changed(since: str, projects: Sequence[Project], *, as_json: bool) -> int:
    """Print what changed since a commit, and Dagster's selection of it."""
    found = changes(since, projects)
    if as_json:
        print(json.dumps(found.to_json(), indent=1, ensure_ascii=False))
        return 0
    for asset, why in found.changed.items():
        print(f"changed     {asset}")
        for one in why:
            print(f"              {one if len(one) <= LONGEST else one[: LONGEST - 1] + '…'}")
    for kind in ("added", "removed", "downstream"):
        for asset in getattr(found, kind):
            print(f"{kind:<12}{asset}")
    print(found.selection or "No asset is declared otherwise.")
    return 0


def changes(since: str, projects: Sequence[Project]) -> Changes:
    """What this checkout changed since it left the history of `since`."""
    return compare(declared_at(left(since)), json.loads(json.dumps(declared(projects))))


def left(since: str) -> str:
    """The commit at which this branch left another one: what happened there since is no change of ours."""
    found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{since}^{{commit}}")
    if found is None:
        raise PlatformError(f"There is no commit {since!r} here. Fetch it, or name another one: a branch, tag or hash.")
    return _git("merge-base", found, "HEAD") or found


def declared_at(commit: str) -> dict[str, dict[str, Any]]:
    """What the declarations of a commit say, told by its own code in a process of its own."""
    with tempfile.TemporaryDirectory() as aside:
        archive, folder = Path(aside, "tree.zip"), Path(aside, "tree")
        if _git("archive", f"--output={archive}", commit, "platform_ml") is None:
            raise PlatformError(f"Commit {commit[:12]} has no folder platform_ml, so nothing can be compared with it.")
        with zipfile.ZipFile(archive) as tree:
            tree.extractall(folder)
        told = subprocess.run(
            [sys.executable, "-c", Path(script.__file__).read_text(encoding="utf-8") + TOLD],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    if told.returncode:
        last = (told.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise PlatformError(f"The projects of commit {commit[:12]} cannot be loaded with today's libraries: {last}")
    known: dict[str, dict[str, Any]] = json.loads(told.stdout)
    return known


def _git(*arguments: str) -> str | None:
    """What git says; None where it fails."""
    done = subprocess.run(
        ["git", "-C", str(ROOT), *arguments],  # noqa: S607 - git as the user has it
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else None
