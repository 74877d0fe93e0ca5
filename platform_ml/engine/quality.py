"""Quality scores of the rows of a feature group, judged over each partition as a whole."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from platform_ml.engine.ports import PARTITION
from platform_ml.spec.quality import MISSING_SHARE, OUTLIER_SHARE, READY, SCORE, FeatureQuality, PartitionQuality
from platform_ml.spec.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from platform_ml.engine.ports import Compute
    from platform_ml.spec.feature_group import FeatureGroup
    from platform_ml.spec.quality import Quality

    Limits = Mapping[tuple[str, str], tuple[float, float]]
    Counts = Mapping[tuple[str, str], tuple[int, int]]

CELLS = 1 << 24
"""Values whose quantiles are taken in one query: it holds them all."""
CHUNK = 100
"""Features that one query looks at."""
ROW = "_row"


def scored(
    group: FeatureGroup, rows: pa.Table, keys: Sequence[str], *, compute: Compute
) -> tuple[pa.Table, dict[str, PartitionQuality]]:
    """The rows in their order with the columns of `Quality`, and the scores of each partition; as they are without."""
    import numpy as np
    import pyarrow as pa

    quality = group.quality
    if quality is None:
        return rows, {}
    names = quality.scored({feature.name: feature.result(group.types) for feature in group.features})
    size = max(1, min(CHUNK, CELLS // max(rows.num_rows, 1)))
    numbered = rows.select([PARTITION, *names]).append_column(ROW, pa.array(np.arange(rows.num_rows)))
    per_row: list[pa.Table] = []
    limits: dict[tuple[str, str], tuple[float, float]] = {}
    counts: dict[tuple[str, str], tuple[int, int]] = {}
    for at in range(0, len(names), size):
        some = dict(list(names.items())[at : at + size])
        drawn = _limits(quality, some, numbered, compute)
        inputs = {"rows": numbered, "limits": _as_table(drawn, some, keys)}
        per_row.append(_row_counts(some, inputs, compute))
        counts |= _feature_counts(some, inputs, compute)
        limits |= drawn
    missing, outlying = (_added([part[name] for part in per_row]) for name in ("missing", "outlying"))
    columns = _columns(quality, len(names), missing, outlying)
    full = pa.table([*rows.columns, *columns.values()], names=[*rows.column_names, *columns])
    return full, _partitions(quality, list(names), full, keys, counts, limits)


def _limits(
    quality: Quality, names: Mapping[str, bool], rows: pa.Table, compute: Compute
) -> dict[tuple[str, str], tuple[float, float]]:
    """(partition, feature) → least and greatest usual value, where there are enough values with a spread."""
    judged = [name for name, numeric in names.items() if numeric]
    if quality.outliers is None or not judged:
        return {}
    finite = {name: f"CASE WHEN isfinite({_number(name)}) THEN {_number(name)} END" for name in judged}
    picked = [
        f"count({value}) AS n{n}, {quality.outliers.summary(value)} AS s{n}" for n, value in enumerate(finite.values())
    ]
    sql = f"SELECT {PARTITION}, {', '.join(picked)} FROM rows GROUP BY ALL"
    found = {}
    for row in compute.query(sql, {"rows": rows}).table().to_pylist():
        for n, name in enumerate(judged):
            limits = quality.outliers.limits(row[f"s{n}"]) if row[f"n{n}"] >= quality.min_values else None
            if limits:
                found[row[PARTITION], name] = limits
    return found


def _as_table(limits: Limits, names: Mapping[str, bool], keys: Sequence[str]) -> pa.Table:
    import pyarrow as pa

    columns: dict[str, Any] = {PARTITION: pa.array(keys, pa.string())}
    for n, name in enumerate(names):
        ends = [limits.get((key, name), (None, None)) for key in keys]
        columns[f"low{n}"] = pa.array([low for low, _ in ends], pa.float64())
        columns[f"high{n}"] = pa.array([high for _, high in ends], pa.float64())
    return pa.table(columns)


def _number(name: str) -> str:
    return f"rows.{identifier(name)}::DOUBLE"


def _missing_sql(name: str, *, numeric: bool) -> str:
    null = f"rows.{identifier(name)} IS NULL"
    return f"({null} OR isnan({_number(name)}))" if numeric else f"({null})"


def _outlying_sql(n: int, name: str) -> str:
    """No limits are null, and nothing is beyond null; what is not a number is missing and nothing else."""
    x = _number(name)
    beyond = f"coalesce({x} < low{n} OR {x} > high{n}, FALSE)"
    return f"coalesce(NOT isnan({x}) AND (isinf({x}) OR {beyond}), FALSE)"


def _flags(names: Mapping[str, bool]) -> tuple[list[str], list[str]]:
    missing = [_missing_sql(name, numeric=numeric) for name, numeric in names.items()]
    return missing, [_outlying_sql(n, name) if numeric else "FALSE" for n, (name, numeric) in enumerate(names.items())]


JOINED = f"FROM rows JOIN limits ON rows.{PARTITION} = limits.{PARTITION}"


def _row_counts(names: Mapping[str, bool], inputs: Mapping[str, pa.Table], compute: Compute) -> pa.Table:
    """How many of these features each row lacks, and how many are outliers, in the order of the rows."""
    missing, outlying = (" + ".join(f"{flag}::INTEGER" for flag in flags) for flags in _flags(names))
    sql = f"SELECT ({missing})::BIGINT AS missing, ({outlying})::BIGINT AS outlying {JOINED} ORDER BY rows.{ROW}"
    return compute.query(sql, inputs).table()


def _feature_counts(
    names: Mapping[str, bool], inputs: Mapping[str, pa.Table], compute: Compute
) -> dict[tuple[str, str], tuple[int, int]]:
    """(partition, feature) → rows without a value, and rows with an outlier."""
    missing, outlying = _flags(names)
    picked = [f"count_if({flag}) AS m{n}" for n, flag in enumerate(missing)]
    picked += [f"count_if({flag}) AS o{n}" for n, flag in enumerate(outlying)]
    sql = f"SELECT rows.{PARTITION}, {', '.join(picked)} {JOINED} GROUP BY rows.{PARTITION}"
    return {
        (row[PARTITION], name): (int(row[f"m{n}"]), int(row[f"o{n}"]))
        for row in compute.query(sql, inputs).table().to_pylist()
        for n, name in enumerate(names)
    }


def _added(columns: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    import pyarrow.compute as pc

    total = columns[0]
    for column in columns[1:]:
        total = pc.add(total, column)
    return total


def _columns(quality: Quality, n: int, missing: pa.ChunkedArray, outlying: pa.ChunkedArray) -> dict[str, Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    lacking, unusual = (pc.cast(counts, pa.float64()) for counts in (missing, outlying))
    # A multiplication, a difference and one division: all of n features there give exactly 1.
    score = pc.divide(pc.subtract(pc.subtract(float(n), lacking), pc.multiply(unusual, quality.outlier_weight)), n)
    return {
        MISSING_SHARE: pc.divide(lacking, float(n)),
        OUTLIER_SHARE: pc.divide(unusual, float(n)),
        SCORE: score,
        READY: pc.greater_equal(score, quality.ready_at),
    }


def _partitions(
    quality: Quality, names: Sequence[str], rows: pa.Table, keys: Sequence[str], counts: Counts, limits: Limits
) -> dict[str, PartitionQuality]:
    found = rows.select([PARTITION, READY]).group_by(PARTITION).aggregate([(READY, "count"), (READY, "sum")])
    ready = {row[PARTITION]: (row[f"{READY}_count"], row[f"{READY}_sum"]) for row in found.to_pylist()}
    return {key: _partition(quality, names, key, ready.get(key, (0, 0)), counts, limits) for key in keys}


def _partition(
    quality: Quality, names: Sequence[str], key: str, ready: tuple[int, int], counts: Counts, limits: Limits
) -> PartitionQuality:
    rows, good = ready
    if not rows:
        return PartitionQuality(score=None, ready=None, ready_share=None, missing_share=None, outlier_share=None)
    values = rows * len(names)
    missing, outlying = (sum(counts[key, name][which] for name in names) for which in (0, 1))
    score = (values - missing - quality.outlier_weight * outlying) / values
    return PartitionQuality(
        score=score,
        ready=score >= quality.ready_at,
        ready_share=good / rows,
        missing_share=missing / values,
        outlier_share=outlying / values,
        features={name: _feature(rows, counts[key, name], limits.get((key, name))) for name in names},
    )


def _feature(rows: int, counts: tuple[int, int], limits: tuple[float, float] | None) -> FeatureQuality:
    low, high = (end if math.isfinite(end) else None for end in limits) if limits else (None, None)
    return FeatureQuality(missing=counts[0] / rows, outlying=counts[1] / rows, low=low, high=high)
