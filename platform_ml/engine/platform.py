"""Everything that the engine works with, in one value that an environment fills with adapters."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from platform_ml.engine.ports import WHOLE
from platform_ml.spec.errors import MissingInputError
from platform_ml.spec.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from platform_ml.engine.ports import Artifact, Artifacts, Compute, Journals, Registry, Snapshot, Tables, Tracker
    from platform_ml.engine.tuning import Spread
    from platform_ml.spec.project import Noun

COMMAND = "dagster asset materialize -m platform_ml.definitions --select"


@dataclass(frozen=True, kw_only=True)
class Platform:
    """The stores and tools of one environment."""

    landing: Path | str
    """Where suppliers deliver files, `<project>/<source>/<key><suffix>`: a folder, or the URL of one."""
    tables: Tables
    compute: Compute
    artifacts: Artifacts
    tracker: Tracker
    registry: Registry
    journals: Journals | None = None
    """Where trials of a search are written down until its model is published; None: a killed search starts again."""
    spread: Spread | None = None
    """Where the trials of a search run; None: on this machine."""
    retry: Retry = field(default=Retry())
    """How often a commit is tried again when the disk fails in a way that may pass."""
    pause: Callable[[float], None] = time.sleep
    """Waits for some seconds."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """One materialization: the project it belongs to, the stores, and where progress is told."""

    project: str
    platform: Platform
    say: Callable[[str], None]

    def table(self, noun: Noun) -> str:
        """The table of a declaration."""
        return f"{self.project}/{noun.name}"

    def place(self, kind: str, noun: Noun, partition: str) -> str:
        """Where the artifacts of a declaration lie."""
        return f"{kind}/{self.project}/{noun.name}/{partition}"

    def published(self, kind: str, noun: Noun, digest: str) -> Artifact | None:
        """The artifact of a declaration that has this digest, of whatever partition; None where it is not there."""
        kept = self.platform.artifacts.versions(f"{kind}/{self.project}/{noun.name}")
        return next((one for one in kept if one.digest == digest), None)

    def read(self, noun: Noun, keys: Iterable[str]) -> Snapshot:
        """The newest version of an upstream table; `MissingInputError` when a needed partition is not there."""
        snapshot = self.platform.tables.snapshot(self.table(noun))
        there = snapshot.partitions if snapshot else {}
        missing = [key for key in keys if key not in there]
        if missing or snapshot is None:
            raise MissingInputError(self.missing(noun, missing))
        return snapshot

    def missing(self, noun: Noun, keys: list[str]) -> str:
        """What is missing and the command that makes it."""
        asset = self.table(noun)
        if not keys or keys == [WHOLE]:
            return f"{asset} was never materialized. Run: {COMMAND} {asset}"
        span = keys[0] if len(keys) == 1 else f"{keys[0]} to {keys[-1]}"
        option = f"--partition {keys[0]}" if len(keys) == 1 else f"--partition-range {keys[0]}...{keys[-1]}"
        return f"{asset} has no partition for {len(keys)} of the needed days ({span}). Run: {COMMAND} {asset} {option}"
