"""Statistics of partitions: one file for each commit, called by its sha256, which the commit names."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING
from uuid import uuid4

from platform_ml.adapters.delta_log import STATISTICS
from platform_ml.engine.durable import sync_path
from platform_ml.spec.errors import StoreError
from platform_ml.spec.statistics import PartitionStatistics

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from platform_ml.engine.ports import Content


def path(folder: Path, name: str) -> Path:
    """Where the statistics of this name lie."""
    return folder / STATISTICS / f"{name}.json"


def write(folder: Path, partitions: Mapping[str, Content]) -> str:
    """Flush what was measured to the disk before any commit names it, and say what it is called; empty for nothing."""
    measured = {key: one.statistics.to_json() for key, one in sorted(partitions.items()) if one.statistics}
    if not measured:
        return ""
    data = json.dumps(measured, separators=(",", ":"), allow_nan=False).encode()
    name = hashlib.sha256(data).hexdigest()
    home = folder / STATISTICS
    home.mkdir(exist_ok=True)
    aside = home / f"{uuid4().hex}.tmp"
    try:
        with aside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path(folder, name))
    finally:
        aside.unlink(missing_ok=True)
    sync_path(home)
    return name


def read(folder: Path, name: str) -> dict[str, PartitionStatistics]:
    """What was measured of each partition of that commit.

    Raises:
        StoreError: the file is not as it was written.
    """
    file = path(folder, name)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise StoreError(f"{file} cannot be read ({error.strerror}). Restore it from a backup.") from error
    if hashlib.sha256(data).hexdigest() != name:
        raise StoreError(f"{file} does not hold what was written. Restore it from a backup.")
    return {key: PartitionStatistics.from_json(said) for key, said in json.loads(data).items()}
