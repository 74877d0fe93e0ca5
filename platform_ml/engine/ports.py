"""What the engine needs from outside, as small as it can be said. Adapters implement these protocols."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from platform_ml.engine.content import file_sha256
from platform_ml.spec import window

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta
    from pathlib import Path

    import pyarrow as pa

    from platform_ml.engine.tracked import Recorded, RecordedRun, TrackedRun
    from platform_ml.spec.origin import Delivered
    from platform_ml.spec.stage import Transition
    from platform_ml.spec.statistics import PartitionStatistics

PARTITION = "_partition"
"""The column that holds the partition key of a row in every table."""
CREATED = "_created"
"""The column that holds when the platform learned a row: its knowledge time, UTC microseconds."""
SEQUENCE = "_seq"
"""The column that orders the commits of one table: the version that followed what the row's writer saw."""
WHOLE = window.WHOLE
"""The partition key of a table that is not partitioned."""


@dataclass(frozen=True, kw_only=True)
class DataFile:
    """One immutable Parquet file of a table: where it lies and what it must hash to."""

    path: str
    """Relative to the table's folder."""
    sha256: str
    rows: int
    size: int
    """Bytes."""


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """Who writes, from what declaration, and which attempt is the newer one."""

    run_id: str
    asset: str
    fingerprint: str
    code_version: str
    token: int
    """Grows with every attempt: a write with an older token than the partition's last one is refused."""


@dataclass(frozen=True, kw_only=True)
class Content:
    """The rows of one partition, sorted by key, and what they were computed from."""

    rows: pa.Table
    inputs: str
    """A digest of everything that the rows were computed from: equal inputs and fingerprint, equal rows."""
    read: Mapping[str, int] = field(default_factory=dict)
    """Upstream declaration → the table version that was read; a manifest follows it down to the sources."""
    statistics: PartitionStatistics | None = None
    """What was measured of the rows; it goes with them and never makes a commit by itself."""
    manifest: Sequence[Delivered] = ()
    """The files that the rows came from; it goes with them, too."""


@dataclass(frozen=True, kw_only=True)
class PartitionState:
    """What the table's commits say about one partition."""

    rows: int
    content: str
    """sha256 of the rows, free of file layout, order of writing and platform columns."""
    inputs: str
    read: Mapping[str, int] = field(default_factory=dict)
    """Upstream declaration → the table version that was read."""
    fingerprint: str
    run_id: str
    created: datetime
    files: tuple[DataFile, ...]
    statistics: str = ""
    """What the store calls the statistics of these rows; empty when none were given."""
    manifest: tuple[Delivered, ...] = ()
    """The files that the rows came from; empty when they came from elsewhere."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One version of one table: it never changes, so a manifest can pin it."""

    table: str
    version: int
    folder: Path
    schema: pa.Schema
    """With the platform's columns."""
    partitions: Mapping[str, PartitionState]
    replaced: Mapping[str, Sequence[PartitionState]] = field(default_factory=dict)
    """What each partition was before, oldest first: the rows as they were known then."""

    commits: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """The versions that wrote a partition, oldest first."""

    def states(self, key: str) -> list[PartitionState]:
        """Everything that a partition ever was, oldest first."""
        return [*self.replaced.get(key, ()), self.partitions[key]]

    def at(self, key: str, version: int) -> PartitionState | None:
        """What a partition was in an earlier version; None when it was not there yet."""
        number = bisect_right(self.commits[key], version) if key in self.commits else 0
        return self.states(key)[number - 1] if number else None

    def paths(self, keys: Iterable[str] | None = None) -> list[str]:
        """The files of these partitions (None: of all), absolute, in partition order."""
        wanted = self.partitions if keys is None else [key for key in keys if key in self.partitions]
        return [str(self.folder / file.path) for key in sorted(wanted) for file in self.partitions[key].files]


class Tables(Protocol):
    """Versioned tables that are written by replacing whole partitions."""

    def commit(self, table: str, partitions: Mapping[str, Content], stamp: Stamp) -> Snapshot:
        """Replace these partitions in one atomic commit; a partition whose content is already there is left alone."""
        ...

    def snapshot(self, table: str, version: int | None = None) -> Snapshot | None:
        """The newest version, or the pinned one; None when the table was never written."""
        ...

    def verify(self, snapshot: Snapshot, keys: Iterable[str] | None = None) -> None:
        """Read these partitions' files back and raise `StoreError` where a sha256 differs from the commit's."""
        ...

    def statistics(self, snapshot: Snapshot, keys: Iterable[str] | None = None) -> dict[str, PartitionStatistics]:
        """What was measured of these partitions (None: of all); one that was committed without is left out."""
        ...


Pins: TypeAlias = "Mapping[int, Collection[str] | None]"
"""Version of one table → the partitions of it that must stay readable; None: all of them."""


@dataclass(frozen=True, kw_only=True)
class Compacted:
    """What a compaction did, or would do."""

    partitions: int
    before: int
    """Bytes of their files; the old ones stay until a vacuum finds that no version needs them."""
    after: int
    """Bytes of the new files; 0 when nothing was written."""
    checkpoint: bool
    """Whether the state of the newest version was written down, so that readers need not replay the log."""


@dataclass(frozen=True, kw_only=True)
class Vacuumed:
    """What a vacuum removed, or would remove."""

    files: int
    size: int
    """Bytes."""
    versions: int
    """Versions that cannot be read in full any more."""


class Upkeep(Protocol):
    """Stores of tables that want housekeeping. None of it changes what the newest or a pinned version holds."""

    def sweep(self, table: str, *, dry_run: bool = False) -> list[str]:
        """Remove what killed writers left; returns its names."""
        ...

    def compact(self, table: str, *, dry_run: bool = False) -> Compacted:
        """Lay badly laid out partitions out anew, in a commit that changes no row and no content hash."""
        ...

    def vacuum(self, table: str, pinned: Pins, *, keep: timedelta, dry_run: bool = False) -> Vacuumed:
        """Remove the files of versions that are not pinned, not the newest, and were not so within `keep`."""
        ...


@dataclass(frozen=True, kw_only=True)
class Files:
    """Parquet files read as one table with the given schema; an empty list is an empty table."""

    paths: Sequence[str]
    schema: pa.Schema


Relation: TypeAlias = "Files | pa.Table | str"
"""Pinned Parquet files, rows in memory, or another piece of SQL."""


class Compute(Protocol):
    """Runs SQL over named inputs."""

    def query(self, sql: str, inputs: Mapping[str, Relation]) -> Answer:
        """The rows of `sql`, in which every key of `inputs` can be used as a table."""
        ...


class Answer(Protocol):
    """What a query returned."""

    def types(self) -> dict[str, str]:
        """Column → SQL type, known before the query runs."""
        ...

    def table(self) -> pa.Table:
        """All rows."""
        ...

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows as a stream."""
        ...


class Tracker(Protocol):
    """Remembers training runs."""

    def record(self, run: TrackedRun) -> Recorded:
        """Store the run with its children; what was recorded of the same key and part before is not stored again."""
        ...

    def find(self, experiment: str, key: str) -> str | None:
        """The id of the run that was recorded under this key; `UnreachableError` when nobody can say."""
        ...

    def runs(self, experiment: str, kinds: Sequence[str]) -> list[RecordedRun]:
        """The runs whose tag `kind` is one of these, newest first; none where the experiment is not there."""
        ...


class Ledger(Protocol):
    """Remembers every transition of every version: what was entered never changes."""

    def history(self, name: str) -> list[Transition]:
        """All transitions of a model's versions, oldest first; none where nothing was ever registered."""
        ...

    def enter(self, name: str, entry: Transition, *, after: int) -> Transition | None:
        """Add a transition to a history of `after` entries: of all who try at once exactly one does.

        Returns:
            None: it was entered, in full. Else what somebody else entered in its place; then nothing was done.
        """
        ...


class Registry(Ledger, Protocol):
    """Remembers models, and through its ledger which one may be used for what."""

    def register(
        self, name: str, run_id: str, files: Mapping[str, Path], tags: Mapping[str, str], *, once: Sequence[str] = ()
    ) -> str:
        """Add a version made of these files (path in the version → file on disk) and return its number as text.

        Of the tags named in `once` no two versions have the same values, whoever else registers at the same moment:
        the version that has them already is returned. A version is there with all of its files and tags or not at all.
        """
        ...

    def find(self, name: str, tags: Mapping[str, str]) -> str | None:
        """The newest version that carries all of these tags."""
        ...

    def promoted(self, name: str, alias: str) -> Mapping[str, str] | None:
        """The tags of the version that is champion or challenger, as it was registered with them; of 3, if "3"."""
        ...

    def fetch(self, name: str, version: int, folder: Path) -> Mapping[str, str]:
        """Copy the files of a version into an empty folder, unchecked, and return its tags."""
        ...


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A published folder of files that never changes."""

    folder: Path
    digest: str
    """What the content is called: equal digests, equal content."""
    record: Mapping[str, Any]
    """Plain JSON: how it was made. `record["files"]` is file name → sha256 of every other file."""

    def damage(self) -> list[str]:
        """What is wrong with each file that is not as it was published; reads them all."""
        return [
            f"{self.folder / name} {what}"
            for name, expected in self.record["files"].items()
            if (what := _damage(self.folder / name, expected))
        ]


def _damage(file: Path, sha256: str) -> str:
    if not file.exists():
        return "is missing"
    return "" if file_sha256(file) == sha256 else f"was changed: its sha256 is not {sha256[:12]}…"


class Artifacts(Protocol):
    """Immutable folders (datasets, models, evaluations, cards), each with the newest one of its place."""

    def publish(self, place: str, digest: str, record: Mapping[str, Any], fill: Callable[[Path], None]) -> Artifact:
        """Let `fill` write files into an empty folder, then make it the newest of `place` in one step.

        A digest that is already there is not written again. `place` is "kind/project/name/partition".
        """
        ...

    def newest(self, place: str) -> Artifact | None:
        """The folder that was published last; `StoreError` when one of its files was changed."""
        ...

    def versions(self, place: str) -> list[Artifact]:
        """All that was ever published at this place or below it, oldest first; files are not checked.

        Of one place, what `newest` returns comes last.
        """
        ...


class Journal(Protocol):
    """Plain values, one after the other: what was appended is there whatever happens to the process afterwards."""

    def read(self) -> list[Mapping[str, Any]]:
        """All of them, in order."""
        ...

    def append(self, entry: Mapping[str, Any]) -> None:
        """Add one: it is there in full or not at all."""
        ...


class Journals(Protocol):
    """What is under way and is not published yet."""

    def open(self, place: str) -> Journal:
        """The journal of a place; nothing is made before something is appended."""
        ...

    def drop(self, place: str) -> None:
        """Remove the journals at this place and below it, if there are any."""
        ...
