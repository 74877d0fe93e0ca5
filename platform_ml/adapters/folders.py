"""Immutable artifacts as folders of a file system: written aside, fsynced, renamed into place."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform_ml.engine.content import file_sha256
from platform_ml.engine.durable import sync_path
from platform_ml.engine.ports import Artifact
from platform_ml.spec.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RECORD, NEWEST = "record.json", "newest"
SHORT = 16
"""Characters of the digest in a folder's name."""


@dataclass(frozen=True)
class Folders:
    """Artifacts below one folder: `<place>/<digest>/`, and `<place>/newest` that names the last one."""

    root: Path

    def publish(self, place: str, digest: str, record: Mapping[str, Any], fill: Callable[[Path], None]) -> Artifact:
        """Write the folder once; a killed or failed attempt leaves nothing that can be read."""
        home = self.root / place
        target = home / digest[:SHORT]
        try:
            home.mkdir(parents=True, exist_ok=True)
            if not (target / RECORD).exists():
                self._write(home, target, digest, record, fill)
            _replace(home / NEWEST, target.name)
        except OSError as error:
            raise StoreError(
                f"{home}: cannot write ({error.strerror or error}). Nothing was changed: the earlier version is still "
                "the newest. Free space or mend the folder, then run it again."
            ) from error
        return _read(target)

    def newest(self, place: str) -> Artifact | None:
        """The folder that was published last, checked against its checksums."""
        try:
            name = (self.root / place / NEWEST).read_text(encoding="ascii")
        except FileNotFoundError:
            return None
        return _read(self.root / place / name)

    def versions(self, place: str) -> list[Artifact]:
        """Every published folder at this place or below it; only its record is read."""
        found = [file.parent for file in (self.root / place).rglob(RECORD) if not file.parent.name.startswith(".")]

        def age(folder: Path) -> tuple[bool, int, str]:
            newest = folder.parent / NEWEST
            last = newest.exists() and newest.read_text(encoding="ascii") == folder.name
            return last, (folder / RECORD).stat().st_mtime_ns, folder.name

        return [_record(folder) for folder in sorted(found, key=age)]

    @staticmethod
    def _write(home: Path, target: Path, digest: str, record: Mapping[str, Any], fill: Callable[[Path], None]) -> None:
        aside = Path(tempfile.mkdtemp(prefix=".writing-", dir=home))
        try:
            fill(aside)
            files = {file.name: file_sha256(file) for file in sorted(aside.iterdir())}
            text = json.dumps({**record, "digest": digest, "files": files}, indent=1, sort_keys=True, allow_nan=False)
            (aside / RECORD).write_text(text, encoding="utf-8")
            for file in aside.iterdir():
                sync_path(file)
            sync_path(aside)
            aside.chmod(0o755)
            aside.rename(target)
            sync_path(home)
        except FileExistsError:
            shutil.rmtree(aside)  # another process published the same content first
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise


def _read(folder: Path) -> Artifact:
    artifact = _record(folder)
    for wrong in artifact.damage():
        raise StoreError(f"{wrong}. Delete the folder {folder} and materialize the asset again.")
    return artifact


def _record(folder: Path) -> Artifact:
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return Artifact(folder=folder, digest=record["digest"], record=record)
    except (OSError, ValueError) as error:
        raise StoreError(f"{folder / RECORD} cannot be read ({error}). Materialize the asset again.") from error


def _replace(file: Path, text: str) -> None:
    aside = file.with_name(f".{file.name}-{os.getpid()}")
    aside.write_text(text, encoding="ascii")
    sync_path(aside)
    aside.replace(file)
    sync_path(file.parent)
