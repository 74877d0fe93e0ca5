"""Data files of one commit: written aside, hashed and flushed before any version names them."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

from platform_ml.adapters import delta_statistics
from platform_ml.adapters.delta_log import written_by
from platform_ml.engine.durable import sync_path
from platform_ml.engine.ports import CREATED, PARTITION, SEQUENCE, DataFile, PartitionState
from platform_ml.spec.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pyarrow as pa
    from deltalake.transaction import AddAction, RemoveAction

    from platform_ml.engine.ports import Content, Snapshot, Stamp

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - Delta writes the zone as a letter
CODEC = "zstd"
ROW_GROUP = 1 << 17
"""Rows that a reader can skip or hand to a thread at once."""
SAMPLE = 1_000
"""Rows that say whether a column repeats its values."""
REPEATS = 0.5
"""The share of different values in them up to which it does."""
WRITERS = 4
"""Threads that compress and flush: more than cores, since a flush waits for the disk."""


@dataclass(frozen=True, kw_only=True)
class Staged:
    """One partition as it will be after the commit."""

    state: PartitionState
    stats: str
    """What Delta readers use to skip files, as JSON."""
    base: PartitionState | None
    """What it replaces."""


@dataclass(frozen=True, kw_only=True)
class Staging:
    """The files that one writer has made and no version names yet."""

    folder: Path
    stamp: Stamp
    clock: Callable[[], datetime]
    parts: dict[str, Staged] = field(default_factory=dict)
    attempts: list[tuple[int, str]] = field(default_factory=list)
    """Version and name of every commit that was tried with these files."""
    measured: dict[str, str] = field(default_factory=dict)
    """Partition → what its statistics are called."""

    def hold(self, contents: Mapping[str, Content], hashes: Mapping[str, str], before: Snapshot) -> None:
        """Make these partitions, and no others, ready to replace those of `before`.

        A partition that lies there already is written again only when somebody else has replaced it since: its `_seq`
        is the version that followed what the writer saw. When another commit takes that number first, ours gets a later
        one, so `_seq` never exceeds the version that wrote the row, and exceeds that of every row its writer could see.
        """
        for key in [key for key in self.parts if key not in contents]:
            self._drop(key)
        if new := {key: content for key, content in contents.items() if key not in self.measured}:
            self.measured.update(dict.fromkeys(new, delta_statistics.write(self.folder, new)))

        def put(key: str) -> None:
            base, earlier = before.partitions.get(key), self.parts.get(key)
            if earlier is None or (earlier.base, earlier.state.content) != (base, hashes[key]):
                self._drop(key)
                self.parts[key] = self._stage(key, contents[key], hashes[key], base, before.version + 1)

        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(put, contents))

    def abandon(self) -> None:
        """Remove all files, unless a commit has named them: also an interrupted attempt may have come that far."""
        if not any(written_by(self.folder, version, name) for version, name in self.attempts):
            for key in list(self.parts):
                self._drop(key)

    def seal(self) -> None:
        """Flush the folders, and show a sweep that these files are young."""
        sync_path(self.folder)
        for part in self.parts.values():
            for file in part.state.files:
                os.utime(self.folder / file.path)
            if part.state.statistics:
                os.utime(delta_statistics.path(self.folder, part.state.statistics))

    def actions(self) -> list[AddAction | RemoveAction]:
        """The files as Delta adds them."""
        from deltalake.transaction import AddAction

        return [
            AddAction(
                path=file.path,
                size=file.size,
                partition_values={PARTITION: key},
                modification_time=int(part.state.created.timestamp() * 1000),
                data_change=True,
                stats=part.stats,
            )
            for key, part in self.parts.items()
            for file in part.state.files
        ]

    def _stage(self, key: str, content: Content, digest: str, base: PartitionState | None, version: int) -> Staged:
        # What follows is later, whatever the clock says: commits tell what was known when.
        created = max(self.clock(), base.created + timedelta(microseconds=1)) if base else self.clock()
        files, stats = self._write(key, content.rows, created, version)
        state = PartitionState(
            rows=content.rows.num_rows,
            content=digest,
            inputs=content.inputs,
            read=content.read,
            fingerprint=self.stamp.fingerprint,
            run_id=self.stamp.run_id,
            created=created,
            files=files,
            statistics=self.measured[key] if content.statistics else "",
            manifest=tuple(content.manifest),
        )
        return Staged(state=state, stats=stats, base=base)

    def _write(self, key: str, rows: pa.Table, created: datetime, version: int) -> tuple[tuple[DataFile, ...], str]:
        import pyarrow as pa

        whole = rows.append_column(CREATED, pa.repeat(pa.scalar(created, pa.timestamp("us", "UTC")), rows.num_rows))
        whole = whole.append_column(SEQUENCE, pa.repeat(pa.scalar(version, pa.int64()), rows.num_rows))
        return write_partition(self.folder, key, whole)

    def _drop(self, key: str) -> None:
        if part := self.parts.pop(key, None):
            for file in part.state.files:
                (self.folder / file.path).unlink(missing_ok=True)


def unwritable(table: str, folder: Path, error: OSError) -> StoreError:
    """What a failed write means to the one who has to mend it."""
    full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
    what = f"disk full at {folder}" if full else f"cannot write to {folder} ({error.strerror or error})"
    cure = "Free space" if full else "Mend the folder"
    return StoreError(f"{table}: {what}. Nothing was changed. {cure} and run again.")


def write_partition(folder: Path, key: str, whole: pa.Table) -> tuple[tuple[DataFile, ...], str]:
    """The file of a partition, on the disk and named by nobody yet, and its bounds; no rows make no file."""
    if not whole.num_rows:
        return (), ""
    data, stats = _parquet(whole)
    home = folder / f"{PARTITION}={quote(key, safe='')}"
    home.mkdir(exist_ok=True)
    path = home / f"{uuid4().hex}.parquet"
    try:
        with path.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        sync_path(home)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    name = path.relative_to(folder).as_posix()
    digest = hashlib.sha256(data).hexdigest()
    return (DataFile(path=name, sha256=digest, rows=whole.num_rows, size=len(data)),), stats


def _parquet(whole: pa.Table) -> tuple[memoryview, str]:
    import pyarrow as pa
    from pyarrow import parquet

    sink = pa.BufferOutputStream()
    parquet.write_table(
        whole,
        sink,
        compression=CODEC,
        use_dictionary=_repeating(whole),
        write_statistics=True,
        store_schema=False,
        row_group_size=ROW_GROUP,
    )
    data = sink.getvalue()
    return memoryview(data), _stats(parquet.read_metadata(pa.BufferReader(data)))


def _repeating(whole: pa.Table) -> list[str]:
    """The columns that a dictionary makes smaller, judged by equally spaced rows: one made in vain takes time."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import types

    if whole.num_rows <= SAMPLE:
        sample = whole
    else:
        sample = whole.take(pa.array(np.linspace(0, whole.num_rows - 1, SAMPLE, dtype=np.int64)))
    flat = [field.name for field in whole.schema if not (types.is_nested(field.type) or types.is_boolean(field.type))]
    nested = [field.name for field in whole.schema if types.is_nested(field.type)]
    repeats = [name for name in flat if len(sample[name].unique()) <= sample.num_rows * REPEATS]
    return [*repeats, *nested]


def _stats(footer: Any) -> str:
    """Bounds of whole numbers and times, taken from the file: those of floats know no NaN, those of text may be cut."""
    lowest: dict[str, Any] = {}
    highest: dict[str, Any] = {}
    nulls: dict[str, int] = {}
    groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
    for number in range(footer.num_columns):
        column = footer.schema.column(number)
        found = [group.column(number).statistics for group in groups]
        if column.max_repetition_level or "." in column.path or not all(found):
            continue
        if all(one.has_null_count for one in found):
            nulls[column.path] = sum(one.null_count for one in found)
        whole = column.physical_type in {"INT32", "INT64"}
        known = [(one.min_raw, one.max_raw) for one in found if whole and one.has_min_max]
        if known:
            ends = min(low for low, _ in known), max(high for _, high in known)
            low, high = (_bound(column.logical_type.type, end) for end in ends)
            if low is not None and high is not None:
                lowest[column.path], highest[column.path] = low, high
    return json.dumps({"numRecords": footer.num_rows, "minValues": lowest, "maxValues": highest, "nullCount": nulls})


def _bound(kind: str, raw: int) -> int | str | None:
    """The number of a footer as Delta says it; None where a calendar of four-digit years has no such day."""
    try:
        match kind:
            case "NONE" | "INT":
                return raw
            case "DATE":
                return (EPOCH + timedelta(days=raw)).date().isoformat()
            case "TIMESTAMP":
                return (EPOCH + timedelta(microseconds=raw)).isoformat(timespec="microseconds") + "Z"
    except OverflowError:
        pass
    return None
