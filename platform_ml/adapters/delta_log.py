"""The commits of one Delta table, read from its log: who wrote which partition, and what must be in it."""

from __future__ import annotations

import json
import re
import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from platform_ml.engine.durable import sync_path
from platform_ml.engine.ports import PARTITION, DataFile, PartitionState
from platform_ml.spec.errors import StoreError
from platform_ml.spec.origin import Delivered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from platform_ml.engine.ports import Stamp

LOG = "_delta_log"
STATISTICS = "_statistics"
"""The folder of what was measured of the rows of each commit."""
GRACE = 3600.0
"""Seconds after which a file that no commit names has no writer any more."""
TEMPORARY = re.compile(r"#\d+$|\.tmp$")
"""What a writer leaves in a log that was killed while it put a commit into place."""


def commit_path(folder: Path, version: int) -> Path:
    """The file that makes this version."""
    return folder / LOG / f"{version:020}.json"


def identity(folder: Path) -> tuple[int, int] | None:
    """Tells a table from one that was removed and written anew at the same place; None where there is no table.

    Raises:
        StoreError: there is a table, but its first commit was removed.
    """
    path = commit_path(folder, 0)
    try:
        first = path.stat()
    except FileNotFoundError:
        if (others := list(path.parent.glob("*.json"))) and path not in others:
            raise StoreError(f"{path} is missing, but not the commits after it. Restore it from a backup.") from None
        return identity(folder) if others else None
    return first.st_ino, first.st_mtime_ns


def actions(folder: Path, version: int) -> list[dict[str, Any]]:
    """The lines of one commit."""
    path = commit_path(folder, version)
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    except (OSError, ValueError) as error:
        raise StoreError(f"{path}: this commit cannot be read ({error}). Restore the file from a backup.") from error


def newest(folder: Path, known: int = 0) -> int:
    """The newest version; `known` is one that exists."""
    while commit_path(folder, known + 1).exists():
        known += 1
    return known


def metadata(stamp: Stamp, attempt: str, states: Mapping[str, PartitionState]) -> dict[str, str]:
    """What a commit says about itself."""
    partitions = {
        key: {
            "rows": state.rows,
            "content": state.content,
            "inputs": state.inputs,
            "read": dict(state.read),
            "files": [asdict(file) for file in state.files],
            "created": state.created.isoformat(),
            **({"statistics": state.statistics} if state.statistics else {}),
            **({"manifest": [asdict(file) for file in state.manifest]} if state.manifest else {}),
            **({} if state.fingerprint == stamp.fingerprint else {"fingerprint": state.fingerprint}),
            **({} if state.run_id == stamp.run_id else {"run_id": state.run_id}),
        }
        for key, state in states.items()
    }
    return {
        "attempt": attempt,
        "run_id": stamp.run_id,
        "asset": stamp.asset,
        "fingerprint": stamp.fingerprint,
        "code_version": stamp.code_version,
        "partitions": json.dumps(partitions, separators=(",", ":")),
    }


def written_by(folder: Path, version: int, attempt: str) -> bool:
    """Whether this attempt made this version: what is on disk counts, whatever the library said or raised."""
    if not commit_path(folder, version).exists():
        return False
    return any(line.get("commitInfo", {}).get("attempt") == attempt for line in actions(folder, version))


def replaced(folder: Path, version: int) -> dict[str, PartitionState]:
    """The partitions that one commit wrote.

    Raises:
        StoreError: the commit was not made by this platform.
    """
    info: dict[str, Any] = next((line["commitInfo"] for line in actions(folder, version) if "commitInfo" in line), {})
    if "partitions" not in info:
        raise StoreError(
            f"{folder}: version {version} ({info.get('operation', 'unknown operation')} by "
            f"{info.get('engineInfo', 'an unknown engine')}) was not made by platform_ml, so what it holds is not "
            f"known. Read version {version - 1}, or restore it."
        )
    return {
        key: PartitionState(
            rows=said["rows"],
            content=said["content"],
            inputs=said["inputs"],
            read=said["read"],
            fingerprint=said.get("fingerprint", info["fingerprint"]),
            run_id=said.get("run_id", info["run_id"]),
            created=datetime.fromisoformat(said["created"]).astimezone(UTC),
            files=tuple(DataFile(**file) for file in said["files"]),
            statistics=said.get("statistics", ""),
            manifest=tuple(Delivered(**file) for file in said.get("manifest", ())),
        )
        for key, said in json.loads(info["partitions"]).items()
    }


def committed_at(folder: Path, version: int) -> datetime:
    """When a version was made."""
    stamps = (line["commitInfo"].get("timestamp") for line in actions(folder, version) if "commitInfo" in line)
    return datetime.fromtimestamp(next(filter(None, stamps), 0) / 1000, UTC)


def sync(folder: Path, version: int) -> None:
    """Make one commit survive a loss of power: delta-rs never does."""
    log = folder / LOG
    for path in (commit_path(folder, version), log / "_last_checkpoint", *log.glob(f"{version:020}.checkpoint*")):
        if path.exists():
            sync_path(path)
    sync_path(log)


def sweep(folder: Path, *, dry_run: bool = False) -> list[str]:
    """Remove what killed writers left: files older than an hour that no version has ever named."""
    log, now = folder / LOG, time.time()
    # Listed before the commits are read: a file that is committed meanwhile is found among them.
    found = [*folder.glob(f"{PARTITION}=*/*"), *(path for path in log.glob("*") if TEMPORARY.search(path.name))]
    found += folder.glob(f"{STATISTICS}/*")
    named = {folder / name for version in range(newest(folder) + 1) for name in _named(actions(folder, version))}
    removed = []
    for path in found:
        if path not in named and path.is_file() and now - path.stat().st_mtime > GRACE:
            if not dry_run:
                path.unlink(missing_ok=True)
            removed.append(str(path.relative_to(folder)))
    return sorted(removed)


def _named(lines: list[dict[str, Any]]) -> Iterator[str]:
    """The data files that a commit adds, and the statistics that it names."""
    yield from added(lines)
    told = next((line["commitInfo"].get("partitions", "{}") for line in lines if "commitInfo" in line), "{}")
    yield from (f"{STATISTICS}/{said['statistics']}.json" for said in json.loads(told).values() if "statistics" in said)


def added(lines: Iterable[dict[str, Any]]) -> Iterator[str]:
    """The files that a commit adds."""
    yield from (unquote(line["add"]["path"]) for line in lines if "add" in line)
