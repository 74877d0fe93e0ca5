"""Housekeeping of Delta tables: file lists change, what a version holds does not."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from platform_ml.adapters import delta_log as log
from platform_ml.adapters.delta_files import CODEC, ROW_GROUP, write_partition
from platform_ml.engine.content import content_hash
from platform_ml.engine.durable import sync_path
from platform_ml.engine.ports import PARTITION, Compacted, Stamp, Vacuumed
from platform_ml.spec.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import timedelta
    from pathlib import Path

    import pyarrow as pa
    from deltalake.transaction import AddAction, RemoveAction

    from platform_ml.engine.ports import PartitionState, Pins, Snapshot, Tables

ATTEMPTS = 5
"""Tries of a compaction against other writers; they go first, and the next maintenance tries again."""
COMMITS = 20
"""Commits since the last checkpoint that are worth a new one."""
RECORD = "_platform/vacuumed.jsonl"
"""What was ever removed from a table, so that a reader learns why a file is not there."""


def compact(tables: Tables, table: str, folder: Path, *, dry_run: bool) -> Compacted:
    """Rewrite the partitions of the newest version that today's writer would lay out otherwise.

    A partition and a commit make one file, so there are no small files to merge across partitions: what is left to
    mend is a partition of several files, of another compression, or cut into small row groups.
    """
    for _ in range(ATTEMPTS):
        snapshot = tables.snapshot(table)
        if snapshot is None:
            return Compacted(partitions=0, before=0, after=0, checkpoint=False)
        poor = [key for key in snapshot.partitions if _is_poor(snapshot, key)]
        before = sum(file.size for key in poor for file in snapshot.partitions[key].files)
        if dry_run:
            due = _checkpoint_is_due(folder, snapshot.version)
            return Compacted(partitions=len(poor), before=before, after=0, checkpoint=due)
        if not poor:
            checkpoint = _checkpoint(folder, snapshot.version)
            return Compacted(partitions=0, before=0, after=0, checkpoint=checkpoint)
        tables.verify(snapshot, poor)
        written = _rewrite(snapshot, poor)
        if written is not None:
            after = sum(file.size for state in written.values() for file in state.files)
            checkpoint = _checkpoint(folder, snapshot.version + 1)
            return Compacted(partitions=len(poor), before=before, after=after, checkpoint=checkpoint)
    raise StoreError(
        f"{table}: other writers were faster in {ATTEMPTS} attempts. Nothing was changed. Compact it in a quieter hour."
    )


def vacuum(tables: Tables, table: str, folder: Path, pinned: Pins, *, keep: timedelta, dry_run: bool) -> Vacuumed:
    """Remove the files that no kept version names; what is removed is written down first."""
    newest = tables.snapshot(table)
    if newest is None:
        return Vacuumed(files=0, size=0, versions=0)
    if unknown := [version for version in pinned if version > newest.version]:
        raise StoreError(
            f"{table}: version {unknown[0]} is pinned, but the newest is {newest.version}. "
            "Nothing was removed. Restore the table from a backup, or delete the datasets that were made of it."
        )
    since = datetime.now(UTC) - keep
    kept: set[str] = set()
    named: dict[str, Path] = {}
    needs: list[set[str]] = []
    for version, states in _versions(folder, newest.version):
        files = {key: {file.path for file in state.files} for key, state in states.items()}
        needs.append(set().union(*files.values()))
        named |= {name: folder / name for name in log.added(log.actions(folder, version))}
        is_young = version == newest.version or log.committed_at(folder, version + 1) > since
        only = None if is_young else pinned.get(version, ())
        kept |= needs[-1] if only is None else set().union(*(files.get(key, set()) for key in only))
    doomed = {name: path.stat().st_size for name, path in named.items() if name not in kept and path.exists()}
    if doomed and not dry_run:
        _remove(folder, doomed)
    return Vacuumed(
        files=len(doomed), size=sum(doomed.values()), versions=sum(not doomed.keys().isdisjoint(n) for n in needs)
    )


def removed(folder: Path, name: str) -> str:
    """The day on which a vacuum removed this file; empty if none did."""
    try:
        lines = (folder / RECORD).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return ""
    return next((said["at"][:10] for said in map(json.loads, lines) if name in said["files"]), "")


def _versions(folder: Path, newest: int) -> Iterator[tuple[int, Mapping[str, PartitionState]]]:
    """What every version holds, oldest first."""
    states: dict[str, PartitionState] = {}
    for version in range(newest + 1):
        states = states | log.replaced(folder, version)
        yield version, states


def _remove(folder: Path, doomed: Mapping[str, int]) -> None:
    record = folder / RECORD
    record.parent.mkdir(exist_ok=True)
    with record.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"at": datetime.now(UTC).isoformat(), "files": sorted(doomed)}) + "\n")
        file.flush()
        os.fsync(file.fileno())
    sync_path(record.parent)
    for name in doomed:
        (folder / name).unlink(missing_ok=True)


def _is_poor(snapshot: Snapshot, key: str) -> bool:
    from pyarrow import parquet

    files = snapshot.partitions[key].files
    if len(files) != 1:
        return len(files) > 1
    try:
        footer = parquet.read_metadata(snapshot.folder / files[0].path)
    except (OSError, ValueError) as error:
        raise StoreError(
            f"{snapshot.table}: {files[0].path} of partition {key!r} cannot be read ({error}). Nothing was changed. "
            "Restore it from a backup, or materialize the partition again."
        ) from error
    groups = footer.num_row_groups
    codecs = {footer.row_group(n).column(0).compression.lower() for n in range(groups)}
    return groups > -(-footer.num_rows // ROW_GROUP) or codecs != {CODEC}


@dataclass(frozen=True, kw_only=True)
class _New:
    state: PartitionState
    stats: str


def _rewrite(snapshot: Snapshot, keys: list[str]) -> dict[str, PartitionState] | None:
    """Commit the same rows in new files; None when another writer took the version."""
    new: dict[str, _New] = {}
    name, committed = uuid4().hex, False
    try:
        for key in keys:
            rows = _read(snapshot.paths([key]))
            files, stats = write_partition(snapshot.folder, key, rows)
            new[key] = _New(state=replace(snapshot.partitions[key], files=files), stats=stats)
            if content_hash(_read(str(snapshot.folder / file.path) for file in files)) != content_hash(rows):
                raise StoreError(
                    f"{snapshot.table}: partition {key!r} cannot be written again without loss. Nothing was changed. "
                    "Report it, and leave this table out of the maintenance."
                )
        committed = _commit(snapshot, new, name)
    finally:
        if not committed and not log.written_by(snapshot.folder, snapshot.version + 1, name):
            for part in new.values():
                for file in part.state.files:
                    (snapshot.folder / file.path).unlink(missing_ok=True)
    return {key: part.state for key, part in new.items()} if committed else None


def _read(paths: Iterable[str]) -> pa.Table:
    """With the platform's columns: when a row was learned stays as it is."""
    import pyarrow as pa
    from pyarrow import parquet

    return pa.concat_tables(parquet.ParquetFile(path).read() for path in paths)


def _commit(snapshot: Snapshot, new: Mapping[str, _New], name: str) -> bool:
    from deltalake import CommitProperties, DeltaTable
    from deltalake.exceptions import CommitFailedError, DeltaError

    folder, version = snapshot.folder, snapshot.version + 1
    stamp = Stamp(run_id="maintain", asset=snapshot.table, fingerprint="", code_version="", token=0)
    said = log.metadata(stamp, name, {key: part.state for key, part in new.items()}) | {"maintenance": "compact"}
    sync_path(folder)
    try:
        delta = DeltaTable(folder, version=snapshot.version)
        delta.create_write_transaction(
            _actions(snapshot, new),
            "append",
            delta.schema(),
            [PARTITION],
            commit_properties=CommitProperties(custom_metadata=said, max_commit_retries=0),
        )
    except (DeltaError, OSError) as error:
        if not log.written_by(folder, version, name):
            if isinstance(error, CommitFailedError):
                return False
            raise StoreError(f"{snapshot.table}: Delta refused the commit: {error}. Nothing was changed.") from error
    log.sync(folder, version)
    return True


def _actions(snapshot: Snapshot, new: Mapping[str, _New]) -> list[AddAction | RemoveAction]:
    """The old files out, the new ones in; `data_change` tells followers of the table that no row is another one."""
    from deltalake.transaction import AddAction, RemoveAction

    now = int(datetime.now(UTC).timestamp() * 1000)
    actions: list[AddAction | RemoveAction] = []
    for key, part in new.items():
        where: dict[str, str | None] = {PARTITION: key}
        actions += [
            RemoveAction(path=file.path, data_change=False, deletion_timestamp=now, partition_values=where)
            for file in snapshot.partitions[key].files
        ]
        actions += [
            AddAction(
                path=file.path,
                size=file.size,
                partition_values=where,
                modification_time=now,
                data_change=False,
                stats=part.stats,
            )
            for file in part.state.files
        ]
    return actions


def _checkpoint_is_due(folder: Path, version: int) -> bool:
    try:
        last = json.loads((folder / log.LOG / "_last_checkpoint").read_text(encoding="utf-8"))["version"]
    except FileNotFoundError:
        last = 0
    return bool(version - last >= COMMITS)


def _checkpoint(folder: Path, version: int) -> bool:
    from deltalake import DeltaTable

    if not _checkpoint_is_due(folder, version):
        return False
    DeltaTable(folder, version=version).create_checkpoint()
    log.sync(folder, version)
    return True
