"""Statistics of training datasets: of all rows and of each split, stored with the published files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from platform_ml.engine.ports import PARTITION
from platform_ml.engine.statistics import measure
from platform_ml.spec.statistics import PartitionStatistics
from platform_ml.spec.training_dataset import SPLIT, SPLITS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa

    from platform_ml.engine.ports import Artifact, Compute

FILE = "statistics.json"


def measure_splits(rows: pa.Table, compute: Compute) -> dict[str, PartitionStatistics]:
    """Split → statistics of its rows; `rows` have a column `split`, and are sorted by it."""
    names = [PARTITION if name == SPLIT else name for name in rows.schema.names]
    return measure(rows.rename_columns(names), SPLITS, compute=compute)[0]


def write(folder: Path, statistics: Mapping[str, PartitionStatistics]) -> None:
    """Put those of all rows and of each split beside the rows, as JSON."""
    found = {name: one.to_json() for name, one in statistics.items()}
    (folder / FILE).write_text(json.dumps(found, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8")


def statistics_of(artifact: Artifact) -> dict[str, PartitionStatistics]:
    """Of a published dataset: "all" and each split → statistics; empty where it was published without."""
    if FILE not in artifact.record["files"]:
        return {}
    found = json.loads((artifact.folder / FILE).read_text(encoding="utf-8"))
    return {name: PartitionStatistics.from_json(one) for name, one in found.items()}
