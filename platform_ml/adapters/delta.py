"""Tables as Delta Lake on a folder: pinned versions, atomic commits, a fence against writers that should be dead."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from uuid import uuid4

from platform_ml.adapters import delta_log as log
from platform_ml.adapters import delta_statistics
from platform_ml.adapters.delta_files import WRITERS, Staging, unwritable
from platform_ml.adapters.delta_maintenance import compact, removed, vacuum
from platform_ml.adapters.delta_schema import check_keys, check_table, entering, evolved, with_platform
from platform_ml.engine.content import content_hash, file_sha256
from platform_ml.engine.durable import sync_path
from platform_ml.engine.ports import PARTITION, Content, PartitionState, Snapshot, Stamp
from platform_ml.spec.errors import StoreError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import timedelta

    import pyarrow as pa
    from deltalake import DeltaTable

    from platform_ml.engine.ports import Compacted, Pins, Vacuumed
    from platform_ml.spec.statistics import PartitionStatistics

FORMAT = 1
"""The layout of files and commits below; a table says which one it has."""
ATTEMPTS = 60
"""Tries of one commit against those of other writers, each after a pause of up to `PAUSE` seconds."""
PAUSE = 1.0
REMEMBERED = 64
"""Snapshots that one process keeps."""
COLUMN_MAPPING = 2
"""The protocol version of readers that know columns by another name."""
PROPERTIES = {
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.deletedFileRetentionDuration": "interval 36500 days",
    "delta.enableExpiredLogCleanup": "false",
    "platform.format": str(FORMAT),
}


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class DeltaTables:
    """Every table is a folder below `root` and has one Parquet file for each partition that has rows."""

    root: Path
    clock: Callable[[], datetime] = field(default=_now, kw_only=True)
    """The time, in UTC, that commits say they were made at."""
    _known: dict[tuple[str, tuple[int, int], int], Snapshot] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def commit(self, table: str, partitions: Mapping[str, Content], stamp: Stamp) -> Snapshot:
        """Replace these partitions in one atomic commit; one with the same content, inputs and fingerprint stays.

        Raises:
            StoreError: a name, key, column or type is refused; a newer attempt has already written a partition; other
                writers were always faster; or the disk failed. The table is then as it was.
        """
        folder = self._folder(table)
        check_keys(table, partitions)
        if not partitions:
            if found := self.snapshot(table):
                return found
            raise StoreError(f"{table}: there is no such table, and no partition to make it from. Pass one at least.")
        schema = entering(table, partitions)
        staging = Staging(folder=folder, stamp=stamp, clock=self.clock)
        try:
            _create(table, folder, schema)
            version = self._replace(table, partitions, schema, staging)
        except OSError as error:
            raise unwritable(table, folder, error) from error
        finally:
            staging.abandon()
        try:
            log.sync(folder, version)
        except OSError as error:
            raise StoreError(
                f"{table}: version {version} was written but could not be flushed ({error}). "
                "Mend the disk, then run again."
            ) from error
        return self._load(table, version)

    def snapshot(self, table: str, version: int | None = None) -> Snapshot | None:
        """The newest version, or the pinned one; None when the table was never written."""
        newest = self._newest(table)
        if newest is None:
            return None
        if version is not None and not 0 <= version <= newest:
            raise StoreError(f"{table}: there is no version {version}; the newest is {newest}. Pin one of those.")
        found = self._load(table, newest if version is None else version)
        return found if found.version else None

    def verify(self, snapshot: Snapshot, keys: Iterable[str] | None = None) -> None:
        """Read these partitions' files back and raise `StoreError` where a sha256 differs from the commit's."""
        for key in snapshot.partitions if keys is None else keys:
            if key not in snapshot.partitions:
                near = did_you_mean(key, snapshot.partitions)
                raise StoreError(f"{snapshot.table}: version {snapshot.version} has no partition {key!r}.{near}")
            for file in snapshot.partitions[key].files:
                path = snapshot.folder / file.path
                try:
                    same = file_sha256(path) == file.sha256
                    what = "does not hold what was written"
                except OSError as error:
                    same, what = False, f"cannot be read ({error.strerror})"
                    if when := removed(snapshot.folder, file.path):
                        raise StoreError(
                            f"{snapshot.table}: version {snapshot.version}, partition {key!r} was vacuumed on {when}: "
                            "no dataset pinned it. Read a newer version."
                        ) from error
                if not same:
                    raise StoreError(
                        f"{snapshot.table}: {path} of partition {key!r} {what}. "
                        "Restore it from a backup, or remove the table and materialize it again."
                    )

    def statistics(self, snapshot: Snapshot, keys: Iterable[str] | None = None) -> dict[str, PartitionStatistics]:
        """What was measured of these partitions (None: of all); one that was committed without is left out."""
        wanted = snapshot.partitions if keys is None else [key for key in keys if key in snapshot.partitions]
        names = {key: snapshot.partitions[key].statistics for key in wanted}
        files = {name: delta_statistics.read(snapshot.folder, name) for name in {*names.values()} - {""}}
        return {key: files[name][key] for key, name in names.items() if name}

    def sweep(self, table: str, *, dry_run: bool = False) -> list[str]:
        """Remove the files that killed writers left, once they are an hour old; returns their names."""
        return log.sweep(self._folder(table), dry_run=dry_run) if self._newest(table) is not None else []

    def compact(self, table: str, *, dry_run: bool = False) -> Compacted:
        """Write partitions again whose files are not laid out as they would be today, and checkpoint the log."""
        return compact(self, table, self._folder(table), dry_run=dry_run)

    def vacuum(self, table: str, pinned: Pins, *, keep: timedelta, dry_run: bool = False) -> Vacuumed:
        """Remove the files that neither the newest, nor a young, nor a pinned version needs."""
        return vacuum(self, table, self._folder(table), pinned, keep=keep, dry_run=dry_run)

    def _folder(self, table: str) -> Path:
        check_table(table)
        return Path(self.root).absolute() / table

    def _newest(self, table: str) -> int | None:
        folder = self._folder(table)
        if (made := log.identity(folder)) is None:
            return None
        known = (version for name, when, version in list(self._known) if (name, when) == (table, made))
        return log.newest(folder, max(known, default=0))

    def _load(self, table: str, version: int) -> Snapshot:
        """One version, from memory or from the log; it never changes."""
        folder = self._folder(table)
        made = log.identity(folder)
        if made is None:
            raise StoreError(f"{table}: {folder} was removed while it was used. Run again.")
        if found := self._known.get((table, made, version)):
            return found
        snapshot = self._read(table, _open(table, folder, version), made)
        self._known[table, made, version] = snapshot
        for key in list(self._known)[:-REMEMBERED]:
            self._known.pop(key, None)
        return snapshot

    def _read(self, table: str, delta: DeltaTable, made: tuple[int, int]) -> Snapshot:
        import pyarrow as pa

        folder, version = self._folder(table), delta.version()
        known = [at for name, when, at in list(self._known) if (name, when) == (table, made) and at <= version]
        start = self._known.get((table, made, max(known, default=0)))
        partitions: dict[str, PartitionState] = dict(start.partitions) if start else {}
        before: dict[str, tuple[PartitionState, ...]] = (
            {k: tuple(v) for k, v in start.replaced.items()} if start else {}
        )
        commits: dict[str, Sequence[int]] = dict(start.commits) if start else {}
        for later in range(start.version + 1 if start else 0, version + 1):
            for key, state in log.replaced(folder, later).items():
                if key in partitions:
                    before[key] = (*before.get(key, ()), partitions[key])
                partitions[key] = state
                commits[key] = (*commits.get(key, ()), later)
        said = {file.path for state in partitions.values() for file in state.files}
        live = {uri[uri.rfind(f"/{PARTITION}=") + 1 :] for uri in delta.file_uris()}
        if said != live:
            odd = min(said ^ live)
            raise StoreError(
                f"{table}: the commits up to version {version} and Delta's list of files differ, first in {odd}. "
                "Something other than platform_ml wrote here. Restore the table from a backup."
            )
        return Snapshot(
            table=table,
            version=version,
            folder=folder,
            schema=pa.schema(delta.schema()),
            partitions=MappingProxyType(dict(sorted(partitions.items()))),
            replaced=MappingProxyType(before),
            commits=MappingProxyType(commits),
        )

    def _replace(self, table: str, partitions: Mapping[str, Content], schema: pa.Schema, staging: Staging) -> int:
        """Stage, commit, and start over from the newest version where another writer was first."""
        hashes: dict[tuple[str, ...], dict[str, str]] = {}
        for attempt in range(ATTEMPTS):
            folder, newest = staging.folder, self._newest(table) or 0
            delta, before = _open(table, folder, newest), self._load(table, newest)
            whole = evolved(table, before.schema, schema)
            _fence(table, delta, partitions, staging.stamp.token)
            # The table's order of columns: a declaration that only lists them otherwise changes nothing.
            order = tuple(name for name in whole.names if name in schema.names)
            ordered = {key: replace(content, rows=content.rows.select(order)) for key, content in partitions.items()}
            if order not in hashes:
                with ThreadPoolExecutor(WRITERS) as pool:
                    found = pool.map(content_hash, [content.rows for content in ordered.values()])
                    hashes[order] = dict(zip(ordered, found, strict=True))
            changed = {
                key: content
                for key, content in ordered.items()
                if not _is_there(before.partitions.get(key), content, hashes[order][key], staging.stamp)
            }
            if not changed:
                return before.version
            staging.hold(changed, hashes[order], before)
            staging.seal()
            if _commit(table, delta, whole, staging):
                return before.version + 1
            time.sleep(random.uniform(0, min(PAUSE, 0.01 * 2**attempt)))  # noqa: S311 - only spreads writers in time
        raise StoreError(
            f"{table}: other writers were faster in {ATTEMPTS} attempts. Nothing was changed. "
            "Run again, with fewer writers of this table at a time."
        )


def _is_there(state: PartitionState | None, content: Content, digest: str, stamp: Stamp) -> bool:
    return state is not None and (state.content, state.inputs, state.fingerprint) == (
        digest,
        content.inputs,
        stamp.fingerprint,
    )


def _fence(table: str, delta: DeltaTable, keys: Iterable[str], token: int) -> None:
    for key in keys:
        last = delta.transaction_version(f"partition:{key}")
        if last is not None and last > token:
            raise StoreError(
                f"{table}: partition {key!r} was already written by a newer attempt "
                f"(token {last}; this one has {token}). "
                "This attempt is out of date: end it. To replace the partition, start a new run."
            )


def _create(table: str, folder: Path, schema: pa.Schema) -> None:
    """Make the table unless it is there; of two processes at once one makes it, and both find it."""
    from deltalake import CommitProperties, DeltaTable
    from deltalake.exceptions import DeltaError

    if log.identity(folder) is not None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    try:
        DeltaTable.create(
            folder,
            with_platform(schema),
            partition_by=[PARTITION],
            mode="error",
            configuration=PROPERTIES,
            raise_if_key_not_exists=False,
            commit_properties=CommitProperties(custom_metadata={"partitions": "{}"}, max_commit_retries=0),
        )
    except DeltaError as error:
        if log.identity(folder) is None:
            raise StoreError(f"{table}: cannot be created in {folder}: {error}. Nothing was changed.") from error
    log.sync(folder, 0)
    for parent in (folder, *folder.parents[: table.count("/") + 1]):
        sync_path(parent)


def _open(table: str, folder: Path, version: int) -> DeltaTable:
    """The table at one version, unless it needs more than this program can read."""
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        delta = DeltaTable(folder, version=version)
        properties, protocol = delta.metadata().configuration, delta.protocol()
    except (DeltaError, OSError) as error:
        raise StoreError(f"{table}: version {version} in {folder} cannot be opened: {error}.") from error
    features = protocol.reader_features or []
    if protocol.min_reader_version == COLUMN_MAPPING or features:
        what = ", ".join(features) or "columnMapping"
        raise StoreError(f"{table}: another engine has turned on {what}, which cannot be read here. Turn it off.")
    layout = properties.get("platform.format")
    if layout is None or not layout.isdecimal():
        raise StoreError(f"{table}: {folder} is a Delta table, but not one of platform_ml. Use another folder.")
    if int(layout) > FORMAT:
        raise StoreError(
            f"{table}: written by a newer version of platform_ml (format {layout}; this one knows {FORMAT}). Upgrade."
        )
    return delta


def _commit(table: str, delta: DeltaTable, schema: pa.Schema, staging: Staging) -> bool:
    """Name the staged files in the version that follows; False when that number is already taken."""
    from deltalake import CommitProperties, Transaction
    from deltalake.exceptions import CommitFailedError, DeltaError

    name, version, token = uuid4().hex, delta.version() + 1, staging.stamp.token
    states = {key: part.state for key, part in staging.parts.items()}
    properties = CommitProperties(
        custom_metadata=log.metadata(staging.stamp, name, states),
        max_commit_retries=0,
        app_transactions=[Transaction(f"partition:{key}", token) for key in states],
    )
    where = [(PARTITION, "in", list(states))]
    staging.attempts.append((version, name))
    try:
        delta.create_write_transaction(
            staging.actions(), "overwrite", schema, [PARTITION], where, commit_properties=properties
        )
    except (DeltaError, OSError) as error:
        # A failure after the commit, say of a checkpoint, is none: the version is there.
        if log.written_by(staging.folder, version, name):
            return True
        if isinstance(error, CommitFailedError):
            return False
        raise StoreError(f"{table}: Delta refused the commit: {error}. Nothing was changed.") from error
    return True
