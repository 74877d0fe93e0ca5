"""This project's join: one row a spine row, in the order of the spine, refusing ties that nothing decides."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
from cases import CREATED, ENTITY, TIME

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.engine.group_rows import joined_rows
from platform_ml.engine.knowledge import Life, Lives
from platform_ml.engine.ports import WHOLE, DataFile, Files, PartitionState, Snapshot
from platform_ml.features import Field
from platform_ml.formats import Parquet
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.history import History, Knowledge, PerRow, ValidTime
from platform_ml.spec.schema import Column, Double, Integer, Timestamp
from platform_ml.spec.source import Source
from platform_ml.spec.window import Daily

if TYPE_CHECKING:
    import pyarrow as pa
    from cases import Case


def safe(case: Case) -> pa.Table:
    """Valid time; ties are looked for in this very run."""
    return _joined(case, History(), ValidTime())


def bitemporal(case: Case) -> pa.Table:
    """What was known at each row's moment."""
    return _joined(case, History(created=CREATED), PerRow())


def rows(answer: pa.Table) -> pa.Table:
    """The answer is Arrow already."""
    return answer


def _joined(case: Case, history: History, knowledge: Knowledge) -> pa.Table:
    """As a feature view does it: files are read by the platform's DuckDB, groups side by side."""
    compute = DuckDB(memory="4GB", threads=case.threads)
    read = Files(paths=[str(case.spine)], schema=pq.read_schema(case.spine))
    spine = compute.query("FROM spine", {"spine": read}).table()
    groups = [_group(case, number, history) for number in range(len(case.groups))]
    files = {group.name: _files(Path(path)) for group, path in zip(groups, case.groups, strict=True)}
    selections = [group.select(*case.values(number)) for number, group in enumerate(groups)]
    return joined_rows(spine, selections, files, knowledge=knowledge, compute=compute)


def _files(path: Path) -> Lives:
    """One file as the only partition of a table."""
    state = PartitionState(
        rows=pq.read_metadata(path).num_rows,
        content="",
        inputs="",
        fingerprint="",
        run_id="",
        created=datetime.now(UTC),
        files=(DataFile(path=path.name, sha256="", rows=0, size=0),),
    )
    folder, schema = path.parent.absolute(), pq.read_schema(path)
    table = Snapshot(table=path.stem, version=1, folder=folder, schema=schema, partitions={WHOLE: state})
    return Lives(snapshot=table, lives=[Life(key=WHOLE, state=state, start=None, end=None)], committed=False)


def _group(case: Case, number: int, history: History) -> FeatureGroup:
    values = case.values(number)
    source = Source(
        name=f"source{number}",
        description="Generated.",
        format=Parquet(),
        columns=(
            Column(ENTITY, Integer()),
            Column(TIME, Timestamp()),
            Column(CREATED, Timestamp()),
            *(Column(name, Double()) for name in values),
        ),
        key=(ENTITY, TIME),
        event_time=TIME,
        cadence=Daily(first=date(2024, 1, 1), last=date(2024, 12, 30)),
    )
    return FeatureGroup(
        name=f"g{number}",
        description="Generated.",
        source=source,
        entity=ENTITY,
        features=tuple(Field(of=name) for name in values),
        cadence=source.cadence,
        history=history,
    )
