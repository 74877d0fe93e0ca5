"""Exports under DVC: a pointer file beside the folder, as `dvc add` writes it, and the objects of its cache.

The format is that of DVC 3: an object is called by the md5 of its bytes, a folder by that of the list of its files
(`.dir`), and lies in `files/md5/<first two characters>/<the rest>` of a cache.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from platform_ml.engine.durable import sync_path
from platform_ml.spec.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.engine.export import Export

SUFFIX, DIRECTORY = ".dvc", ".dir"
OBJECTS = Path("files", "md5")
BLOCK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What a folder holds."""

    files: Mapping[str, str]
    """Path in the folder → md5, in the order of paths."""
    size: int
    """Bytes of all files."""

    @property
    def content(self) -> bytes:
        """The list as DVC keeps it."""
        found = [{"md5": md5, "relpath": path} for path, md5 in self.files.items()]
        return json.dumps(found, sort_keys=True).encode()

    @property
    def md5(self) -> str:
        """What DVC calls the folder."""
        return _md5(self.content) + DIRECTORY


def listed(folder: Path) -> Listing:
    """Every file below the folder."""
    found = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if file.is_file()}
    return Listing(
        files={path: _file_md5(found[path]) for path in sorted(found)},
        size=sum(file.stat().st_size for file in found.values()),
    )


def point(export: Export) -> Path:
    """Write `<folder>.dvc` beside an export, naming the dataset's version, and return it.

    Raises:
        StoreError: another pointer is there, or it cannot be written.
    """
    import yaml

    folder, said = export.folder, export.manifest
    found = listed(folder)
    out = {"md5": found.md5, "size": found.size, "nfiles": len(found.files), "hash": "md5", "path": folder.name}
    plain = {
        "desc": f"{said['dataset']}@{said['digest'][:12]}, cutoff {said['cutoff']}, as {said['format']}",
        "meta": {"platform_ml": {name: said[name] for name in ("dataset", "digest", "cutoff", "format")}},
        "outs": [out],
    }
    text = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)
    pointer = folder.with_name(f"{folder.name}{SUFFIX}")
    if pointer.exists() and pointer.read_text(encoding="utf-8") != text:
        raise StoreError(f"{pointer} points at something else. Remove it, or export into another folder.")
    _write(pointer, text.encode())
    return pointer


def fill(export: Export, cache: Path) -> int:
    """Put an export's files into a cache of DVC, like `.dvc/cache`, and return how many were not there yet."""
    found, added = listed(export.folder), 0
    for path, md5 in found.files.items():
        target = _object(cache, md5)
        if not target.exists():
            added += 1
            _write(target, export.folder / path)
    target = _object(cache, found.md5)
    if not target.exists():  # last: a list that is there has all of its files
        _write(target, found.content)
    return added


def _object(cache: Path, md5: str) -> Path:
    return cache / OBJECTS / md5[:2] / md5[2:]


def _write(target: Path, content: bytes | Path) -> None:
    """All of it or nothing."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(prefix=".writing-", dir=target.parent)
        os.close(number)
        aside = Path(name)
        try:
            if isinstance(content, Path):
                shutil.copyfile(content, aside)
            else:
                aside.write_bytes(content)
            aside.chmod(0o644)
            sync_path(aside)
            aside.replace(target)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StoreError(f"{target}: cannot write ({error.strerror or error}).") from error


def _file_md5(file: Path) -> str:
    found = hashlib.md5(usedforsecurity=False)
    with file.open("rb") as content:
        while block := content.read(BLOCK):
            found.update(block)
    return found.hexdigest()


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
