"""What a registered version is made of: every file with its checksum, and where all of it comes from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform_ml.engine.content import file_sha256
from platform_ml.spec.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE, TAG = "manifest.json", "manifest_sha256"
FORMAT = 1
SHOWN = 12


def manifest(files: Mapping[str, Path], about: Mapping[str, Any]) -> str:
    """The text of `manifest.json`: the sha256 and bytes of each file, and what is known of the version.

    Args:
        files: path in the version → file.
        about: plain JSON: formats, dataset, feature groups, code.
    """
    listed = {name: {"sha256": file_sha256(file), "bytes": file.stat().st_size} for name, file in sorted(files.items())}
    plain = {"manifest": FORMAT, **about, "files": listed}
    return json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def text_sha256(text: str) -> str:
    """What the text's file hashes to."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Checked:
    """Files of a version of which every byte is what was registered."""

    folder: Path
    manifest: Mapping[str, Any]


def check_files(folder: Path, *, where: str, expected: str) -> Checked:
    """Compare all files of a folder with their manifest, before anything else reads one.

    Args:
        folder: a copy that nobody else writes to: what is checked has to be what is read afterwards.
        where: which version of which model, for the error.
        expected: sha256 of the manifest, from a place that is not the folder.

    Raises:
        Refused: a file was changed, cut off, removed or added; names each and says what to do.
    """
    advice = (
        f"Nothing of it was read. Restore the version's files from a backup, roll back to another version, or "
        f"materialize the registration of {where.partition('@')[0]} again."
    )
    if not expected:
        raise Refused(f"{where} was registered without checksums, by an older platform. Materialize it again.")
    file = folder / FILE
    if not file.is_file():
        raise Refused(f"{where} is refused: {FILE} is missing. {advice}")
    text = file.read_bytes()
    if (found := hashlib.sha256(text).hexdigest()) != expected:
        raise Refused(
            f"{where} is refused: {FILE} was changed: its sha256 is {found[:SHOWN]}…, registered was "
            f"{expected[:SHOWN]}…. {advice}"
        )
    plain = json.loads(text)
    if wrong := _wrong(folder, plain["files"]):
        raise Refused(f"{where} is refused: {'; '.join(wrong)}. {advice}")
    return Checked(folder=folder, manifest=plain)


def _wrong(folder: Path, listed: Mapping[str, Mapping[str, Any]]) -> list[str]:
    there = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if not path.is_dir()}
    wrong = [f"{name} is missing" for name in listed if name not in there]
    wrong += [f"{name} was added" for name in sorted(there) if name not in listed and name != FILE]
    for name in sorted(there.keys() & listed.keys()):
        size, expected = there[name].stat().st_size, listed[name]
        if size != expected["bytes"]:
            wrong.append(f"{name} has {size:,} bytes, registered were {expected['bytes']:,}")
        elif (found := file_sha256(there[name])) != expected["sha256"]:
            wrong.append(
                f"{name} was changed: its sha256 is {found[:SHOWN]}…, registered was {expected['sha256'][:SHOWN]}…"
            )
    return wrong
