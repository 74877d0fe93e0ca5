"""What is told to a tracker and a registry, and what they tell: plain values."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from platform_ml.spec.errors import StoreError
from platform_ml.spec.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path


def now_us() -> int:
    """Microseconds since 1970, UTC."""
    return time.time_ns() // 1_000


@dataclass(frozen=True, kw_only=True)
class TrackedDataset:
    """Rows that a run has read, as the tracker's pages list them."""

    name: str
    digest: str
    """Of all rows, not of a sample."""
    source: str
    """Where they lie."""
    context: str
    """What they were read for: training, validation, testing."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Name → SQL type."""
    rows: int = 0
    about: Mapping[str, str] = field(default_factory=dict)
    """What else was done to them: split, sampling, preparation."""


@dataclass(frozen=True, kw_only=True)
class TrackedRun:
    """One finished training run, or one more part of it, as it is sent to the tracker in one piece."""

    name: str
    experiment: str
    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    artifacts: Mapping[str, Path] = field(default_factory=dict)
    """Path in the run → file on disk."""
    children: Sequence[TrackedRun] = ()
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """Metric name → its value per step."""
    every: int = 1
    """How many steps lie between two values of a curve."""
    datasets: Sequence[TrackedDataset] = ()
    key: str = ""
    """What is recorded under the same key is the same run; empty: each recording is a run of its own."""
    part: str = "run"
    """Which part of the run this is; each part of a key is recorded once."""
    started: int = field(default_factory=now_us)
    """Microseconds since 1970, UTC; the moment of its metrics, too."""
    seconds: float = 0.0
    """Wall time."""

    def __post_init__(self) -> None:
        for path in self.artifacts:
            inside = PurePosixPath(path)
            if inside.is_absolute() or ".." in inside.parts:
                raise StoreError(f"{path!r} is no path inside of a run. Use one like 'model/model.ubj'.")
        if "'" in self.key:
            raise StoreError(f"A run cannot have the key {self.key!r}. Use letters, digits and -_/.")


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What became of a run that was told to the tracker."""

    run_id: str
    """Empty while the run waits."""
    waits: str = ""
    """Why the run is not with the tracker yet; empty when it is."""


@dataclass(frozen=True, kw_only=True)
class RecordedRun:
    """A run as the tracker has it."""

    run_id: str
    name: str
    started: datetime
    seconds: float | None
    """None while it is not finished."""
    finished: bool
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    """The last value of each."""
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class RegisteredVersion:
    """A version as the registry has it."""

    name: str
    version: int
    aliases: Sequence[str]
    status: str
    registered: datetime
    run_id: str
    tags: Mapping[str, str]
    """What it was registered with."""
    stage: Stage = Stage.CANDIDATE
