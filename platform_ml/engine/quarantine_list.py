"""What is in quarantine at a glance: counted by source, partition and reason, with what became of its fixes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from platform_ml.engine import late
from platform_ml.engine.feed import state_of
from platform_ml.engine.fixes import KIND as FIXES
from platform_ml.engine.fixes import inputs
from platform_ml.engine.ports import PARTITION, Files
from platform_ml.engine.quarantine import rejected_files, rejected_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.engine.platform import Work
    from platform_ml.spec.source import Source

State = Literal["rejected", "whole file", "fixed, waits", "replayed"]


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Some rows, or one file, of one partition of a source."""

    source: str
    partition: str
    state: State
    """Fixed rows wait until their partition is materialized again, and are replayed from then on."""
    reason: str
    """Why it was not let in; of fixed rows which they are."""
    count: int
    """Rows; 1 for a file."""


def listed(sources: Sequence[Source], *, work: Work) -> list[Kept]:
    """Everything that is kept, by source and partition; the most frequent reasons first."""
    found = [one for source in sources for one in (*_rows(source, work), *_files(source, work), *_fixed(source, work))]
    names = {source.name: n for n, source in enumerate(sources)}
    return sorted(found, key=lambda one: (names[one.source], one.partition, one.state, -one.count, one.reason))


def totals(kept: Sequence[Kept]) -> dict[State, int]:
    """State → rows, or files; every state is there."""
    found: Counter[State] = Counter({"rejected": 0, "whole file": 0, "fixed, waits": 0, "replayed": 0})
    for one in kept:
        found[one.state] += one.count
    return dict(found)


def _rows(source: Source, work: Work) -> list[Kept]:
    snapshot = work.platform.tables.snapshot(rejected_table(source, work))
    if snapshot is None:
        return []
    files = Files(paths=snapshot.paths(), schema=snapshot.schema)
    sql = f"SELECT {PARTITION} AS partition, reasons, count(*) AS n FROM rows GROUP BY ALL"
    return [
        Kept(source=source.name, partition=row["partition"], state="rejected", reason=row["reasons"], count=row["n"])
        for row in work.platform.compute.query(sql, {"rows": files}).table().to_pylist()
    ]


def _files(source: Source, work: Work) -> list[Kept]:
    return [
        Kept(
            source=source.name,
            partition=file.partition,
            state="whole file",
            reason=f"{file.name} ({file.size:,} bytes): {file.reason}",
            count=1,
        )
        for file in rejected_files(source, work=work)
    ]


def _fixed(source: Source, work: Work) -> list[Kept]:
    """The newest fixes of each partition; those of a file that was delivered again count no more."""
    snapshot = work.platform.tables.snapshot(work.table(source))
    newest = {
        made.record["partition"]: made
        for made in work.platform.artifacts.versions(f"{FIXES}/{work.project}/{source.name}")
    }
    found = []
    for partition, made in newest.items():
        loaded = snapshot.partitions.get(partition) if snapshot else None
        if state_of(source, partition, loaded, work) != made.record["file"]:
            continue
        fixed = inputs(source, partition, made.record["file"], work)
        taken = loaded is not None and loaded.inputs == late.inputs(source, partition, fixed, late.contents(snapshot))
        rows = ", ".join(map(str, made.record["rows"]))
        found.append(
            Kept(
                source=source.name,
                partition=partition,
                state="replayed" if taken else "fixed, waits",
                reason=f"row {rows}",
                count=len(made.record["rows"]),
            )
        )
    return found
