"""Training datasets: rows of a view, split, written once with everything that is needed to make them again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from platform_ml.engine.content import content_hash
from platform_ml.engine.dataset_checks import KIND, judge
from platform_ml.engine.feature_view import join_record
from platform_ml.engine.leak_audit import audit_record
from platform_ml.engine.ports import Artifact, Files
from platform_ml.engine.provenance import tables_seen, tables_used
from platform_ml.engine.rows import SplitRows
from platform_ml.engine.split_statistics import write
from platform_ml.spec.errors import MissingInputError, RowsError
from platform_ml.spec.feature_group import EVENT_TIME
from platform_ml.spec.fingerprint import SEMANTICS, digest, fingerprint, meaning
from platform_ml.spec.label import KNOWN_TIME
from platform_ml.spec.schema import Timestamp
from platform_ml.spec.splitter import RowSQL
from platform_ml.spec.sql import identifier, literal
from platform_ml.spec.task import MULTICLASS
from platform_ml.spec.training_dataset import SPLIT, SPLITS, TRAIN, VALIDATION
from platform_ml.spec.window import moment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.engine.audit import Finding
    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Snapshot
    from platform_ml.spec.event_label import EventLabel
    from platform_ml.spec.feature_view import FeatureView
    from platform_ml.spec.label import Label
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
    view, day = dataset.view, dataset.cadence.day(cutoff)
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
        "seen": tables_seen(view, snapshot.version, keys, work),
        "made_by": dict(made_by),
        "audit": audit_record(judged.findings),
    }
    artifact = _publish(dataset, cutoff, rows, record, judged.statistics, work)
    return BuiltDataset(
        findings=judged.findings, artifact=artifact, preview=rows.slice(0, 5), statistics=judged.statistics
    )


def dataset_rows(dataset: TrainingDataset, cutoff: str, snapshot: Snapshot, *, work: Work) -> pa.Table:
    """The rows of a version of the view up to the cutoff, with their split: what a dataset's content is the hash of."""
    view, day = dataset.view, dataset.cadence.day(cutoff)
    split = dataset.split_sql(row_sql(view, dataset.last_day(day)), day)
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
    view = dataset.view
    within = (view.label.ranked_within,) if view.label.ranked_within else ()
    names = (EVENT_TIME, view.label.entity, *within, view.label.name, *view.feature_names, *view.helper_names)
    rows = _read(artifact.folder / f"{split}.parquet", list(dict.fromkeys(names)))
    return shaped(dataset, rows, artifact, split)


def fold_rows(
    dataset: TrainingDataset, cutoff: str, artifact: Artifact, number: int, *, work: Work
) -> list[Mapping[str, SplitRows]]:
    """Training and validation rows of each fold, of the pinned version of the view, so rows in a gap are there, too."""
    import pyarrow.compute as pc

    view, day, pinned = dataset.view, dataset.cadence.day(cutoff), artifact.record["view"]
    snapshot, keys = work.platform.tables.snapshot(pinned["table"], pinned["version"]), list(pinned["partitions"])
    if snapshot is None:
        raise MissingInputError(work.missing(view, keys))
    work.platform.tables.verify(snapshot, keys)
    columns = [f"fold {fold}" for fold in range(number)]  # no column of a view has a blank in its name
    folds = dataset.fold_sql(row_sql(view, dataset.last_day(day)), day, number)
    chosen = zip(folds, map(identifier, columns), strict=True)
    names, order = (", ".join(map(identifier, of)) for of in (view.types, (EVENT_TIME, *view.label.key)))
    sql = f"SELECT {', '.join(f'{sql} AS {name}' for sql, name in chosen)}, {names} FROM rows ORDER BY {order}"
    rows = work.platform.compute.query(sql, {"rows": Files(paths=snapshot.paths(keys), schema=snapshot.schema)}).table()
    return [
        {
            split: shaped(dataset, rows.filter(pc.equal(rows[name], split)), artifact, split)
            for split in (TRAIN, VALIDATION)
        }
        for name in columns
    ]


def shaped(dataset: TrainingDataset, rows: pa.Table, artifact: Artifact, split: str) -> SplitRows:
    """Rows of the view as a split of a published dataset has them; `RowsError` for a class that it does not know."""
    import numpy as np
    import pyarrow.compute as pc

    view = dataset.view

    def numbered(column: str) -> NDArray[np.int64]:
        codes = pc.rank(rows[column], sort_keys="ascending", tiebreaker="dense")
        return np.asarray(codes.to_numpy(), dtype=np.int64)

    classes = tuple(artifact.record["split"]["classes"]) if view.label.task is MULTICLASS else ()
    within = view.label.ranked_within
    return SplitRows(
        features=rows.select(view.feature_names),
        label=_label(dataset, rows[view.label.name], classes, split),
        entity=numbered(view.label.entity),
        event_time=rows[EVENT_TIME],
        helpers=rows.select(view.helper_names),
        task=view.label.task,
        classes=classes,
        group=None if within is None else numbered(within),
        called=rows[view.label.entity],
    )


def _label(
    dataset: TrainingDataset, values: pa.ChunkedArray, classes: tuple[str, ...], split: str
) -> NDArray[np.float64]:
    """(n,) the numbers, or the places of the classes."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if dataset.view.label.task is MULTICLASS:
        places = pc.index_in(values, value_set=pa.array(classes, pa.string()))
        if places.null_count:
            odd = values.filter(pc.is_null(places))[0].as_py()
            raise RowsError(
                f"Training dataset {dataset.name!r}: class {odd!r} of the {split} split is in no training row. Widen "
                "the training split, or make rare classes one."
            )
        values = places
    found: NDArray[np.float64] = values.cast("double").to_numpy().astype(np.float64)
    return found


def _read(file: Path, columns: list[str]) -> pa.Table:
    """Some columns of a file, in the memory of these columns: nothing is read ahead, and what decoding took is gone."""
    import pyarrow as pa
    from pyarrow import dataset

    options = dataset.ParquetFragmentScanOptions(pre_buffer=False, use_buffered_stream=True, buffer_size=BUFFER)
    stored = dataset.dataset(file, format=dataset.ParquetFileFormat(default_fragment_scan_options=options))
    # Arrow's own pool keeps what it freed, a sixth more than the rows; the system's gives it back.
    pool = pa.system_memory_pool()
    return stored.to_table(columns=columns, memory_pool=pool, batch_readahead=1, fragment_readahead=1)


def row_sql(view: FeatureView, last_day: date) -> RowSQL:
    """What splitters are told of a row of a view up to a day; the key's text must not depend on a zone."""
    times = [name for name, kind in view.label.columns.items() if isinstance(kind, Timestamp)]
    key = [f"epoch_us({identifier(name)})" if name in times else identifier(name) for name in view.label.key]
    return RowSQL(
        entity=identifier(view.label.entity),
        key=(*key, f"epoch_us({EVENT_TIME})"),
        event_time=EVENT_TIME,
        label=identifier(view.label.name),
        cutoff=literal(moment(last_day)),
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
            "rule": dataset.rule(dataset.cadence.day(cutoff)),
            "gap_days": dataset.gap_days,
            "history_days": dataset.history_days,
            "windows_may_overlap": dataset.windows_may_overlap,
            "random_split_because": dataset.random_split_because,
            "by_time": dataset.splitter.by_time,
            "separates_entities": dataset.splitter.separates_entities,
            "splits": _split_record(view.label, rows),
            **_classes(view.label, rows),
        },
        "columns": {name: kind.sql for name, kind in view.types.items()},
        "features": view.feature_names,
        "helpers": view.helper_names,
    }


def _classes(label: Label | EventLabel, rows: pa.Table) -> dict[str, Any]:
    """The classes of the training rows, sorted: their places are what models learn."""
    import pyarrow.compute as pc

    if label.task is not MULTICLASS:
        return {}
    known = rows.filter(pc.equal(rows[SPLIT], TRAIN))[label.name].unique().to_pylist()
    return {"classes": sorted(known)}


def _split_record(label: Label | EventLabel, rows: pa.Table) -> dict[str, Any]:
    import pyarrow.compute as pc

    record: dict[str, Any] = {}
    for split in SPLITS:
        part = rows.filter(pc.equal(rows[SPLIT], split))
        span = pc.min_max(part[EVENT_TIME]).as_py()
        record[split] = {
            "rows": part.num_rows,
            "mean_label": None if label.task is MULTICLASS else pc.mean(part[label.name].cast("double")).as_py(),
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
    keys = dataset.view_keys(dataset.cadence.day(cutoff))
    now = {key: snapshot.partitions[key].content for key in keys if key in snapshot.partitions}
    return artifact.record["fingerprint"] == fingerprint(dataset) and made == now
