"""Statistics of staged rows: one pass of DuckDB over all of them, and quantiles and top values of a fixed sample."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from platform_ml.engine.key_order import runs
from platform_ml.engine.ports import PARTITION
from platform_ml.spec.sql import identifier
from platform_ml.spec.statistics import LEVELS, ColumnStatistics, PartitionStatistics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from platform_ml.engine.ports import Compute
    from platform_ml.spec.statistics import Kind

SAMPLE = 5_000
"""Rows of a partition that quantiles and top values are taken from; of a smaller one all, which makes them exact."""
TOP = 50
"""Values of a category that are kept; a value that is longer than `LONGEST` characters is cut."""
LONGEST = 100
DIGITS = 9
"""Significant digits that are kept: more would show in which order threads added fractions up."""
CHUNK = 100
"""Columns that one query looks at."""
SEED = 20


def measure(
    rows: pa.Table, keys: Sequence[str], *, compute: Compute, more: Mapping[str, str] | None = None
) -> tuple[dict[str, PartitionStatistics], dict[str, dict[str, Any]]]:
    """Statistics of each partition of staged rows, and the values of `more` aggregates (name → SQL) in the same pass.

    Equal rows in equal order have equal statistics, whatever the number of threads. Counts, extremes, mean and
    standard deviation are of all rows; distinct counts are HyperLogLog's (Flajolet et al. 2007). Of a list, its length
    is measured.
    """
    kinds = {name: _kind(rows.schema.field(name).type) for name in rows.schema.names if name != PARTITION}
    parts = [list(kinds)[at : at + CHUNK] for at in range(0, len(kinds), CHUNK)] or [[]]
    exact: dict[str, dict[str, Any]] = {key: {} for key in keys}
    numbers = list((more or {}).values())
    for number, names in enumerate(parts):
        own = [] if number else [f"{sql} AS more{n}" for n, sql in enumerate(numbers)]
        picked = [_exact_sql(n, name, rows, kinds[name]) for n, name in enumerate(names, number * CHUNK)]
        for found in _rows(f"SELECT {PARTITION}, {_list([*own, *picked])} FROM rows GROUP BY ALL", rows, compute):
            exact.setdefault(found.pop(PARTITION), {}).update(found)
    sample, counts = _sample(rows)
    quantiles, tops = _quantiles(sample, kinds, compute), _tops(sample, kinds, compute)
    statistics = {
        key: PartitionStatistics(
            rows=counts.get(key, 0),
            sampled=min(counts.get(key, 0), SAMPLE),
            columns={
                name: _column(n, kind, exact[key], quantiles.get((key, name)), tops.get((key, name)))
                for n, (name, kind) in enumerate(kinds.items())
            },
        )
        for key in keys
    }
    named = {key: {name: exact[key].get(f"more{n}") for n, name in enumerate(more or {})} for key in keys}
    return statistics, named


def _kind(type_: pa.DataType) -> Kind:
    import pyarrow.types as kinds

    if kinds.is_integer(type_) or kinds.is_floating(type_) or kinds.is_decimal(type_) or kinds.is_list(type_):
        return "number"
    return "time" if kinds.is_temporal(type_) else "category"


def _value(name: str, rows: pa.Table) -> str:
    """SQL of what is measured of a column."""
    import pyarrow.types as kinds

    return f"len({identifier(name)})" if kinds.is_list(rows.schema.field(name).type) else identifier(name)


def _list(parts: Sequence[str]) -> str:
    return ", ".join(parts) or "count(*)"


def _rows(sql: str, rows: pa.Table, compute: Compute) -> list[dict[str, Any]]:
    return list(compute.query(sql, {"rows": rows}).table().to_pylist())


def _exact_sql(n: int, name: str, rows: pa.Table, kind: Kind) -> str:
    import pyarrow.types as kinds

    x = _value(name, rows)
    parts = [f"count(*) - count({x}) AS nulls{n}", f"approx_count_distinct({x}) AS distinct{n}"]
    if kind == "category":
        return ", ".join(parts)
    if kind == "time":
        return ", ".join([*parts, f"min({x})::VARCHAR AS min{n}", f"max({x})::VARCHAR AS max{n}"])
    value = x
    if kinds.is_floating(rows.schema.field(name).type):
        value = f"CASE WHEN isfinite({x}) THEN {x} END"
        parts.append(f"count_if(NOT isfinite({x}))::BIGINT AS odd{n}")
    parts += [f"{what}({value})::DOUBLE AS {what}{n}" for what in ("min", "max", "avg")]
    # Adding squares of doubles up loses digits; of what is left, `DIGITS` are kept.
    return ", ".join([*parts, f"stddev_samp({value}::DOUBLE) AS std{n}"])


def _sample(rows: pa.Table) -> tuple[pa.Table, dict[str, int]]:
    """At most `SAMPLE` rows of each partition, chosen by place: equal rows, equal samples; and all counts."""
    import numpy as np
    import pyarrow as pa

    found = runs(rows[PARTITION])
    counts: dict[str, int] = {}
    for key, _, count in found:
        counts[key] = counts.get(key, 0) + count
    if all(count <= SAMPLE for count in counts.values()):
        return rows, counts
    taken = []
    for _, start, count in found:
        part = rows.slice(start, count)
        if count > SAMPLE:
            chosen = np.random.default_rng(SEED).choice(count, SAMPLE, replace=False, shuffle=False)
            part = part.take(pa.array(np.sort(chosen)))
        taken.append(part)
    return pa.concat_tables(taken), counts


def _quantiles(
    sample: pa.Table, kinds: Mapping[str, Kind], compute: Compute
) -> dict[tuple[str, str], tuple[float, ...]]:
    names = [name for name, kind in kinds.items() if kind == "number"]
    levels = ", ".join(str(n / LEVELS) for n in range(LEVELS + 1))
    found = {}
    for at in range(0, len(names), CHUNK):
        some = names[at : at + CHUNK]
        values = [f"{_value(name, sample)}::DOUBLE" for name in some]
        picked = [
            f"quantile_disc(CASE WHEN isfinite({x}) THEN {x} END, [{levels}]) AS q{n}" for n, x in enumerate(values)
        ]
        for row in _rows(f"SELECT {PARTITION}, {_list(picked)} FROM rows GROUP BY ALL", sample, compute):
            for n, name in enumerate(some):
                found[row[PARTITION], name] = tuple(map(_short, row[f"q{n}"] or ()))
    return found


def _tops(sample: pa.Table, kinds: Mapping[str, Kind], compute: Compute) -> dict[tuple[str, str], dict[str, int]]:
    """One value more than is kept, so that one sees whether there are more."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for name in [name for name, kind in kinds.items() if kind == "category"]:
        sql = f"""
            SELECT {PARTITION}, left({identifier(name)}::VARCHAR, {LONGEST}) AS _value, count(*) AS _n FROM rows
            WHERE {identifier(name)} IS NOT NULL GROUP BY 1, 2
            QUALIFY row_number() OVER (PARTITION BY {PARTITION} ORDER BY _n DESC, _value) <= {TOP + 1}
            ORDER BY {PARTITION}, _n DESC, _value"""
        for row in _rows(sql, sample, compute):
            found.setdefault((row[PARTITION], name), {})[row["_value"]] = row["_n"]
    return found


def _column(
    n: int, kind: Kind, found: Mapping[str, Any], quantiles: tuple[float, ...] | None, top: Mapping[str, int] | None
) -> ColumnStatistics:
    ends = [found.get(f"min{n}"), found.get(f"max{n}")]
    low, high = (_short(end) if isinstance(end, float) else end for end in ends)
    mean, std = found.get(f"avg{n}"), found.get(f"std{n}")
    return ColumnStatistics(
        kind=kind,
        nulls=found.get(f"nulls{n}", 0),
        distinct=found.get(f"distinct{n}", 0),
        not_finite=found.get(f"odd{n}", 0),
        minimum=low,
        maximum=high,
        mean=None if mean is None else _short(mean),
        std=None if std is None else _short(std),
        quantiles=quantiles or (),
        top=dict(list((top or {}).items())[:TOP]),
        complete=len(top or {}) <= TOP,
    )


def _short(value: float) -> float:
    """JSON has no infinity: a mean that is too large for a double is the largest double."""
    return float(f"{max(-1.7e308, min(1.7e308, value)):.{DIGITS}g}") if not math.isnan(value) else 0.0
