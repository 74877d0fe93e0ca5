"""Delivered files behind a registered model, as the pages of Dagster show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from platform_ml.engine.dataset_checks import KIND
from platform_ml.engine.lineage import sources, steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.engine.platform import Work
    from platform_ml.spec.training_dataset import TrainingDataset

SHORT = 12
"""Characters of a digest that are shown."""


def lineage_metadata(dataset: TrainingDataset, digest: str, *, work: Work) -> dict[str, object]:
    """A count, a sum of bytes and a table of the sources behind this version; nothing where it is not there."""
    artifact = work.published(KIND, dataset, digest)
    if artifact is None:
        return {}
    found = sources(steps(artifact, work.platform.tables))
    lines = ["| source | version | partitions | files | bytes | received | digest |", "|" + " --- |" * 7]
    lines += [
        f"| {one.table} | {span(one.versions)} | {one.partitions:,} | {one.files:,} | {one.size:,} | "
        f"{one.first[:10]} to {one.last[:10]} | {one.digest[:SHORT]} |"
        for one in found
    ]
    return {
        "source_files": sum(one.files for one in found),
        "source_bytes": sum(one.size for one in found),
        "sources": dg.MetadataValue.md("\n".join(lines)),
    }


def span(versions: Sequence[int]) -> str:
    """One version, or the first and the last of several."""
    first, last = min(versions), max(versions)
    return str(first) if first == last else f"{first} to {last}"
