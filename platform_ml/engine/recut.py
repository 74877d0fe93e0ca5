"""A training dataset cut again from the pinned version of its view, and compared with what was published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform_ml.engine.content import content_hash
from platform_ml.engine.ports import Files
from platform_ml.engine.row_diff import row_changes
from platform_ml.engine.training_dataset import dataset_rows
from platform_ml.spec.errors import PlatformError
from platform_ml.spec.feature_group import EVENT_TIME
from platform_ml.spec.sql import identifier, literal
from platform_ml.spec.training_dataset import SPLIT, SPLITS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifact, Relation, Snapshot
    from platform_ml.engine.reference import Reference
    from platform_ml.engine.row_diff import Rows


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One thing that is not as it was published."""

    reason: str
    table: str = ""
    partition: str = ""
    split: str = ""
    column: str = ""
    rows: int | None = None
    """In how many rows; None where that was not counted."""

    def __str__(self) -> str:
        named = {"partition": self.partition, "split": self.split, "column": self.column}
        where = [self.table, *(f"{kind} {name}" for kind, name in named.items() if name)]
        count = "" if self.rows is None else f"{self.rows:,} {'row' if self.rows == 1 else 'rows'} "
        place = ", ".join(part for part in where if part)
        return f"{place}: {count}{self.reason}" if place else f"{count}{self.reason}"


@dataclass(frozen=True, kw_only=True)
class Level:
    """One way of making the dataset again, and what came of it."""

    name: str
    checked: str
    """What was compared, with counts."""
    differences: Sequence[Difference]
    within: str = ""
    """How far it is from what was published, where that is not bit by bit the same but within a stated tolerance."""

    @property
    def identical(self) -> bool:
        """Whether nothing differs."""
        return not self.differences and not self.within

    @property
    def equal(self) -> bool:
        """Whether nothing differs by more than a tolerance."""
        return not self.differences


def published(artifact: Artifact) -> Level:
    """Whether the files are still what was published."""
    wrong = [Difference(reason=text) for text in artifact.damage()]
    return Level(
        name="published files", checked=f"{len(artifact.record['files'])} files by their sha256", differences=wrong
    )


def from_view(reference: Reference, *, work: Work) -> Level:
    """Cut and split the pinned version of the view again; the real tables are only read."""
    pinned = reference.artifact.record["view"]
    table, version = pinned["table"], pinned["version"]
    name = f"from the view, {table} version {version}"
    try:
        snapshot = work.platform.tables.snapshot(table, version)
    except PlatformError as error:
        return Level(name=name, checked="", differences=[Difference(reason=str(error))])
    if snapshot is None:
        gone = Difference(table=table, reason="the table is gone; restore it from a backup")
        return Level(name=name, checked="", differences=[gone])
    wrong = _pinned_partitions(reference, snapshot, work)
    if wrong:
        return Level(name=name, checked="", differences=wrong)
    checked = f"{len(pinned['partitions'])} partitions by their sha256, rows by their content hash"
    return Level(name=name, checked=checked, differences=same_rows(reference, snapshot, work=work))


def same_rows(reference: Reference, snapshot: Snapshot, *, work: Work) -> list[Difference]:
    """What differs between the published rows and those cut from this version of the view."""
    record, table = reference.artifact.record, f"{reference.project.name}/{reference.dataset.name}"
    try:
        rows = dataset_rows(reference.dataset, reference.cutoff, snapshot, work=work)
    except PlatformError as error:
        return [Difference(table=table, reason=f"cannot be cut from the view: {error}")]
    content = content_hash(rows)
    if content == record["content"]:
        return []
    hashes = f"content hash {content[:12]}…, published was {record['content'][:12]}…"
    return [Difference(table=table, reason=hashes), *_row_differences(reference, rows, table, work)]


def _pinned_partitions(reference: Reference, snapshot: Snapshot, work: Work) -> list[Difference]:
    """What stands in the way of reading the partitions that the manifest and today's declaration name."""
    record = reference.artifact.record["view"]
    pinned: Mapping[str, Any] = record["partitions"]
    try:
        keys = reference.dataset.view_keys(reference.dataset.cadence.day(reference.cutoff))
    except PlatformError as error:
        return [Difference(table=snapshot.table, reason=f"today's declaration has no such cutoff: {error}")]
    wrong = []
    for key in sorted({*pinned, *keys}):
        state, reason = snapshot.partitions.get(key), ""
        if key not in keys:
            reason = "was used, and today's declaration leaves it out"
        elif key not in pinned:
            reason = "was not used, and today's declaration asks for it"
        elif state is None or state.content != pinned[key]["content"]:
            reason = "the table's commits and the manifest say different things; restore the table from a backup"
        else:
            reason = damage(work, snapshot, key)
        if reason:
            wrong.append(Difference(table=snapshot.table, partition=key, reason=reason))
    return wrong


def damage(work: Work, snapshot: Snapshot, key: str) -> str:
    """Why a partition's files cannot be read as they were written; empty when they can."""
    try:
        work.platform.tables.verify(snapshot, [key])
    except PlatformError as error:
        return str(error)
    return ""


def _row_differences(reference: Reference, rows: pa.Table, table: str, work: Work) -> list[Difference]:
    artifact, view = reference.artifact, reference.dataset.view
    if artifact.damage():
        return []
    inputs, schema = published_rows(artifact, "before")
    shared = [
        name for name in view.types if name in schema.names and schema.field(name).type == rows.schema.field(name).type
    ]
    columns = [
        Difference(table=table, column=name, reason="is not in both, or of another type")
        for name in dict.fromkeys([*schema.names, *view.types])
        if name not in shared
    ]
    key = [*view.label.key, EVENT_TIME]
    if not set(key) <= set(shared):
        return columns
    found = row_changes(
        inputs | {"after": rows},
        key=key,
        columns=[name for name in shared if name not in key],
        group=SPLIT,
        compute=work.platform.compute,
    )
    return columns + [difference for one in found for difference in describe(one, table=table)]


def published_rows(artifact: Artifact, name: str) -> tuple[dict[str, Relation], pa.Schema]:
    """Inputs of a query in which `name` is all rows with their split, and the schema without it."""
    import pyarrow.parquet as pq

    paths = {split: artifact.folder / f"{split}.parquet" for split in SPLITS}
    schema = pq.read_schema(paths[SPLITS[0]])
    inputs: dict[str, Relation] = {
        f"{name}_{split}": Files(paths=[str(path)], schema=schema) for split, path in paths.items()
    }
    parts = [f"SELECT {literal(split)} AS {SPLIT}, * FROM {identifier(f'{name}_{split}')}" for split in paths]
    return inputs | {name: " UNION ALL BY NAME ".join(parts)}, schema


def describe(one: Rows, *, table: str, partition: str = "") -> list[Difference]:
    """Differences of rows, one for those that come, go or move, and one for each changed column."""
    at = {"table": table, "partition": partition}
    if one.was is None or one.now is None:
        reason = "more than published" if one.was is None else "published and now missing"
        return [Difference(**at, split=one.was or one.now or "", rows=one.rows, reason=reason)]
    moved = (
        [] if one.was == one.now else [Difference(**at, split=one.was, rows=one.rows, reason=f"are now in {one.now}")]
    )
    return moved + [
        Difference(**at, split=one.was, column=name, rows=count, reason="differ") for name, count in one.columns.items()
    ]
