"""What was not let in: rejected rows in a table, and whole files beside it."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from platform_ml.engine import late
from platform_ml.engine.content import file_sha256
from platform_ml.engine.delivery import reading
from platform_ml.engine.feed import state_of
from platform_ml.engine.fetched import format_of
from platform_ml.engine.fixes import inputs, keep_fixes
from platform_ml.engine.ports import Content, Files
from platform_ml.engine.retry import commit
from platform_ml.spec.fingerprint import digest, fingerprint
from platform_ml.spec.project import REJECTED as SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from platform_ml.engine.delivery import Delivery
    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifact, Stamp
    from platform_ml.spec.origin import Delivered
    from platform_ml.spec.source import Source

KIND = "quarantine"


@dataclass(frozen=True, kw_only=True)
class RejectedRow:
    """A row that was not let in."""

    partition: str
    file: str
    row: int
    """Its number among the rows of all files of the partition: what a fix calls it."""
    file_row: int
    """Its number in its file."""
    line: int | None
    reasons: str
    record: str


@dataclass(frozen=True, kw_only=True)
class RejectedFile:
    """A file that was not let in, as it was."""

    partition: str
    path: Path
    """The copy."""
    name: str
    sha256: str
    size: int
    """Bytes."""
    reason: str
    time: datetime


def rejected_table(source: Source, work: Work) -> str:
    """The table that keeps the rows that were not let in."""
    return f"{work.table(source)}{SUFFIX}"


def keep_rows(source: Source, deliveries: Sequence[Delivery], *, work: Work, stamp: Stamp) -> None:
    """Keep rejected rows, also of a delivery that is then refused; forget those of an earlier delivery."""
    table = rejected_table(source, work)
    known = work.platform.tables.snapshot(table)
    kept = {
        delivery.key: Content(rows=delivery.rejected, inputs=delivery.inputs)
        for delivery in deliveries
        if delivery.rejected.num_rows or (known and delivery.key in known.partitions)
    }
    if kept:
        commit(table, kept, stamp, work=work)


def keep_file(source: Source, key: str, file: Path, reason: str, *, name: str, token: str, work: Work) -> Artifact:
    """Copy a file, so that it is there when the supplier has delivered another one in its place.

    `token` is what the whole delivery is called.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copyfile(file, Path(folder, "copy")))
        sha256 = file_sha256(copy)
        record = {
            "source": source.name,
            "partition": key,
            "name": name,
            "sha256": sha256,
            "size": copy.stat().st_size,
            "reason": reason,
            "token": token,
            "time": datetime.now(UTC).isoformat(),
        }
        return work.platform.artifacts.publish(
            work.place(KIND, source, key),
            sha256,
            record,
            lambda into: _move(copy, into / f"file{format_of(source).suffix}"),
        )


def _move(copy: Path, to: Path) -> None:
    shutil.copyfile(copy, to)


def rejected_rows(source: Source, *, work: Work, key: str | None = None) -> Iterator[RejectedRow]:
    """The rows in quarantine, by partition and row."""
    snapshot = work.platform.tables.snapshot(rejected_table(source, work))
    for partition in sorted(snapshot.partitions) if snapshot else ():
        if snapshot is None or key not in {None, partition}:
            continue
        files = Files(paths=snapshot.paths([partition]), schema=snapshot.schema)
        rows = work.platform.compute.query("FROM rows ORDER BY row_number", {"rows": files}).table()
        for row in rows.to_pylist():
            yield RejectedRow(
                partition=partition,
                file=row["file"],
                row=row["row_number"],
                file_row=row["row_number"] if row.get("file_row") is None else row["file_row"],
                line=row.get("line"),
                reasons=row["reasons"],
                record=row["record"],
            )


def rejected_files(source: Source, *, work: Work, key: str | None = None) -> list[RejectedFile]:
    """The files in quarantine that no later delivery of their partition made good, oldest first."""
    place = work.place(KIND, source, key) if key else f"{KIND}/{work.project}/{source.name}"
    found = []
    for artifact in work.platform.artifacts.versions(place):
        record = artifact.record
        if _is_made_good(source, record["partition"], work):
            continue
        found.append(
            RejectedFile(
                partition=record["partition"],
                path=artifact.folder / f"file{format_of(source).suffix}",
                name=record["name"],
                sha256=record["sha256"],
                size=record["size"],
                reason=record["reason"],
                time=datetime.fromisoformat(record["time"]),
            )
        )
    return sorted(found, key=lambda one: one.time)


def refused(source: Source, key: str, token: str, work: Work) -> str:
    """Why the delivery that is called so was not let in; empty when it was not refused."""
    newest = work.platform.artifacts.newest(work.place(KIND, source, key))
    return str(newest.record["reason"]) if newest and newest.record.get("token") == token else ""


def token_of(source: Source, key: str, files: Sequence[Delivered]) -> str:
    """What this delivery of a partition is called, by what can be told of it without reading it."""
    listed = [[one.name, one.size, one.stamp] for one in files]
    return digest({"source": fingerprint(source), "partition": key, "files": listed})[:16]


def _is_made_good(source: Source, key: str, work: Work) -> bool:
    """Whether what is delivered now is what was loaded last."""
    snapshot = work.platform.tables.snapshot(work.table(source))
    loaded = snapshot.partitions.get(key) if snapshot else None
    there = state_of(source, key, loaded, work) if loaded else None
    return (
        loaded is not None
        and there is not None
        and loaded.inputs == late.inputs(source, key, inputs(source, key, there, work), late.contents(snapshot))
    )


def fix(source: Source, key: str, file: Path, *, work: Work) -> int:
    """Take fixed rows in; they count from the next materialization of the partition on. Returns how many they are."""
    known = work.platform.tables.snapshot(work.table(source))
    with reading(source, key, work=work, taken=late.taken(source, key, known, work=work)) as delivery:
        pass
    numbers = delivery.rejected["row_number"].to_pylist()
    _, count = keep_fixes(source, key, file, state=delivery.state, rejected=numbers, work=work)
    return count
