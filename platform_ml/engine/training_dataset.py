"""Training datasets: rows of a view, split, written once with everything that is needed to make them again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from platform_ml.engine.content import content_hash
from platform_ml.engine.dataset_checks import KIND, judge
from platform_ml.engine.feature_view import join_record
from platform_ml.engine.leak_audit import audit_record
from platform_ml.engine.ports import Artifact, Files
from platform_ml.engine.provenance import tables_used
from platform_ml.engine.rows import SplitRows
from platform_ml.engine.split_statistics import write
from platform_ml.spec.errors import MissingInputError
from platform_ml.spec.feature_group import EVENT_TIME
from platform_ml.spec.fingerprint import SEMANTICS, digest, fingerprint, meaning
from platform_ml.spec.label import KNOWN_TIME
from platform_ml.spec.schema import Timestamp
from platform_ml.spec.splitter import RowSQL
from platform_ml.spec.sql import identifier, literal
from platform_ml.spec.training_dataset import SPLIT, SPLITS
from platform_ml.spec.window import moment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    import pyarrow as pa

    from platform_ml.engine.audit import Finding
    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Snapshot
    from platform_ml.spec.feature_view import FeatureView
    from platform_ml.spec.statistics import PartitionStatistics
    from platform_ml.spec.training_dataset import TrainingDataset

BUFFER = 1 << 20
"""Bytes of a file that are read at once."""


@dataclass(frozen=True, kw_only=True)
class BuiltDataset:
    """What became of a dataset; None when a blocking check kept it back."""

    findings: list[Finding]
    artifact: Artifact | None
    preview: pa.Table
    statistics: Mapping[str, PartitionStatistics] = field(default_factory=dict)
    """ "all" and each split → what was measured of its rows."""


def materialize_training_dataset(
    dataset: TrainingDataset, cutoff: str, *, work: Work, made_by: Mapping[str, str]
) -> BuiltDataset:
    """Cut the view's partitions at the cutoff, check them, and publish them once."""
    view, day = dataset.view, dataset.view.label.cadence.day(cutoff)
    keys = dataset.view_keys(day)
    snapshot = work.read(view, keys)
    work.platform.tables.verify(snapshot, keys)
    rows = dataset_rows(dataset, cutoff, snapshot, work=work)
    judged = judge(dataset, rows, cutoff, work=work)
    if any(finding.stops for finding in judged.findings):
        return BuiltDataset(findings=judged.findings, artifact=None, preview=rows.slice(0, 5))
    record = _manifest(dataset, cutoff, rows, snapshot, keys) | {
        "content": content_hash(rows),
        "tables": tables_used(view, snapshot.version, keys, work),
        "made_by": dict(made_by),
        "audit": audit_record(judged.findings),
    }
    artifact = _publish(dataset, cutoff, rows, record, judged.statistics, work)
    return BuiltDataset(
        findings=judged.findings, artifact=artifact, preview=rows.slice(0, 5), statistics=judged.statistics
    )


def dataset_rows(dataset: TrainingDataset, cutoff: str, snapshot: Snapshot, *, work: Work) -> pa.Table:
    """The rows of a version of the view up to the cutoff, with their split: what a dataset's content is the hash of."""
    view, day = dataset.view, dataset.view.label.cadence.day(cutoff)
    split = dataset.split_sql(row_sql(view, day))
    order = ", ".join(map(identifier, (EVENT_TIME, *view.label.key)))
    names = ", ".join(map(identifier, view.types))
    sql = f"""
        SELECT * FROM (SELECT {split} AS {SPLIT}, {names} FROM rows)
        WHERE {SPLIT} IS NOT NULL ORDER BY {SPLIT}, {order}"""
    files = Files(paths=snapshot.paths(dataset.view_keys(day)), schema=snapshot.schema)
    return work.platform.compute.query(sql, {"rows": files}).table()


def version_of(dataset: TrainingDataset, content: str) -> str:
    """The digest that a dataset of this content is published under."""
    return digest({"content": content, "fingerprint": fingerprint(dataset)})


def _publish(
    dataset: TrainingDataset,
    cutoff: str,
    rows: pa.Table,
    record: dict[str, Any],
    statistics: Mapping[str, PartitionStatistics],
    work: Work,
) -> Artifact:
    """One Parquet file a split, the statistics, and the manifest."""
    name = version_of(dataset, record["content"])

    def fill(folder: Path) -> None:
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        for split in SPLITS:
            part = rows.filter(pc.equal(rows[SPLIT], split)).drop_columns([SPLIT])
            pq.write_table(part, folder / f"{split}.parquet", compression="zstd")
        write(folder, statistics)

    artifact = work.platform.artifacts.publish(work.place(KIND, dataset, cutoff), name, record, fill)
    work.say(f"{work.table(dataset)}: {rows.num_rows:,} rows for cutoff {cutoff}, version {name[:12]}")
    return artifact


def load(dataset: TrainingDataset, cutoff: str, *, work: Work) -> Artifact:
    """The newest dataset of a cutoff, its checksums verified."""
    artifact = work.platform.artifacts.newest(work.place(KIND, dataset, cutoff))
    if artifact is None:
        raise MissingInputError(work.missing(dataset, [cutoff]))
    return artifact


def split_rows(dataset: TrainingDataset, artifact: Artifact, split: str) -> SplitRows:
    """One split of a published dataset in the shapes that models and metrics take."""
    import numpy as np
    import pyarrow.compute as pc

    view = dataset.view
    label, names = view.label, (*view.feature_names, *view.helper_names)
    needed = list(dict.fromkeys((EVENT_TIME, label.entity, label.name, *names)))
    rows = _read(artifact.folder / f"{split}.parquet", needed)
    codes = pc.rank(rows[label.entity], sort_keys="ascending", tiebreaker="dense")
    return SplitRows(
        features=rows.select(view.feature_names),
        label=rows[label.name].cast("double").to_numpy().astype(np.float64),
        entity=codes.to_numpy().astype(np.int64),
        event_time=rows[EVENT_TIME],
        helpers=rows.select(view.helper_names),
        task=label.task,
    )


def _read(file: Path, columns: list[str]) -> pa.Table:
    """Some columns of a file, in the memory of these columns: nothing is read ahead, and what decoding took is gone."""
    import pyarrow as pa
    from pyarrow import dataset

    options = dataset.ParquetFragmentScanOptions(pre_buffer=False, use_buffered_stream=True, buffer_size=BUFFER)
    stored = dataset.dataset(file, format=dataset.ParquetFileFormat(default_fragment_scan_options=options))
    # Arrow's own pool keeps what it freed, a sixth more than the rows; the system's gives it back.
    pool = pa.system_memory_pool()
    return stored.to_table(columns=columns, memory_pool=pool, batch_readahead=1, fragment_readahead=1)


def row_sql(view: FeatureView, cutoff: date) -> RowSQL:
    """What splitters are told of a row of a view; the key's text must not depend on a zone."""
    times = [name for name, kind in view.label.columns.items() if isinstance(kind, Timestamp)]
    key = [f"epoch_us({identifier(name)})" if name in times else identifier(name) for name in view.label.key]
    return RowSQL(
        entity=identifier(view.label.entity),
        key=(*key, f"epoch_us({EVENT_TIME})"),
        event_time=EVENT_TIME,
        label=identifier(view.label.name),
        cutoff=literal(moment(cutoff)),
    )


def _manifest(
    dataset: TrainingDataset, cutoff: str, rows: pa.Table, snapshot: Snapshot, keys: list[str]
) -> dict[str, Any]:
    """Everything that it takes to make the same rows again."""
    view = dataset.view
    return {
        "dataset": dataset.name,
        "cutoff": cutoff,
        "fingerprint": fingerprint(dataset),
        "semantics": SEMANTICS,
        "declaration": meaning(dataset),
        "view": {
            "table": snapshot.table,
            "version": snapshot.version,
            "fingerprint": fingerprint(view),
            "partitions": {
                key: {
                    "rows": state.rows,
                    "content": state.content,
                    "files": {file.path: file.sha256 for file in state.files},
                }
                for key, state in ((key, snapshot.partitions[key]) for key in keys)
            },
        },
        "join": join_record(view),
        "split": {
            "rule": dataset.splitter.says(dataset.gap_days),
            "gap_days": dataset.gap_days,
            "history_days": dataset.history_days,
            "windows_may_overlap": dataset.windows_may_overlap,
            "random_split_because": dataset.random_split_because,
            "by_time": dataset.splitter.by_time,
            "separates_entities": dataset.splitter.separates_entities,
            "splits": _split_record(view.label.name, rows),
        },
        "columns": {name: kind.sql for name, kind in view.types.items()},
        "features": view.feature_names,
        "helpers": view.helper_names,
    }


def _split_record(label: str, rows: pa.Table) -> dict[str, Any]:
    import pyarrow.compute as pc

    record = {}
    for split in SPLITS:
        part = rows.filter(pc.equal(rows[SPLIT], split))
        span = pc.min_max(part[EVENT_TIME]).as_py()
        record[split] = {
            "rows": part.num_rows,
            "mean_label": pc.mean(part[label].cast("double")).as_py(),
            "first": span["min"].date().isoformat(),
            "last": span["max"].date().isoformat(),
            "outcomes_known": pc.max(part[KNOWN_TIME]).as_py().date().isoformat(),
        }
    return record


def is_current(dataset: TrainingDataset, cutoff: str, *, work: Work) -> bool:
    """Whether the newest dataset of a cutoff is what would be made now."""
    artifact = work.platform.artifacts.newest(work.place(KIND, dataset, cutoff))
    snapshot = work.platform.tables.snapshot(work.table(dataset.view))
    if artifact is None or snapshot is None:
        return False
    made = {key: used["content"] for key, used in artifact.record["view"]["partitions"].items()}
    keys = dataset.view_keys(dataset.view.label.cadence.day(cutoff))
    now = {key: snapshot.partitions[key].content for key in keys if key in snapshot.partitions}
    return artifact.record["fingerprint"] == fingerprint(dataset) and made == now
