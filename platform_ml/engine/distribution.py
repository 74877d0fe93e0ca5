"""How the values of a column are spread in two sets of rows, and how far apart that is."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from platform_ml.checks.distances import stability
from platform_ml.spec.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from platform_ml.engine.ports import Compute, Relation

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
BINS = 10
LEAST = 1e-4
"""The share that an empty bin counts as, so that the index stays finite."""
TOP = 10
"""Values of a text column that are compared one by one; the others are one bin."""
CHUNK = 100
"""Columns that one query looks at."""
NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "DOUBLE", "FLOAT", "DECIMAL")
TIMES = ("TIMESTAMP", "DATE")


@dataclass(frozen=True, kw_only=True)
class Spread:
    """The values of one column in one set of rows."""

    rows: int
    nulls: int
    numbers: Mapping[str, float | None]
    """mean, std (of a sample), min, max and quantiles p5 to p95; empty for columns that are no numbers."""
    top: Mapping[str, float]
    """The most frequent values with their share of all rows; for text, booleans and other kinds."""
    least: str = ""
    """First and last moment; for times only."""
    most: str = ""

    @property
    def null_share(self) -> float:
        """Nulls as a share of rows; 0 of no rows."""
        return self.nulls / self.rows if self.rows else 0.0


@dataclass(frozen=True, kw_only=True)
class Shift:
    """One column before and after."""

    column: str
    kind: str
    """number, time or category."""
    before: Spread
    after: Spread
    psi: float | None
    """Population stability index: below 0.1 little has changed, above 0.25 much; None for times, and without rows."""


def stability_index(before: Sequence[int], after: Sequence[int]) -> float | None:
    """The population stability index of two histograms; None without rows. An empty bin counts as a share of 0.0001.

    >>> round(stability_index([50, 50], [80, 20]), 4)
    0.4159
    """
    total, later = sum(before), sum(after)
    if not total or not later:
        return None
    return stability([one / total for one in before], [one / later for one in after], (LEAST, LEAST))


def kind_of(sql_type: str) -> str:
    """Whether a DuckDB type is compared as number, time or category."""
    if sql_type.startswith(NUMBERS):
        return "number"
    return "time" if sql_type.startswith(TIMES) else "category"


def shifts(inputs: Mapping[str, Relation], columns: Mapping[str, str], compute: Compute) -> list[Shift]:
    """Compare these columns (name → DuckDB type) of the inputs `before` and `after`, read as streams.

    Of lists, the lengths are compared.
    """
    lists = {name for name, sql in columns.items() if sql.endswith("[]")}
    kinds = {name: kind_of(sql) for name, sql in columns.items()}
    found: dict[str, Shift] = {}
    for part in _parts([name for name, kind in kinds.items() if kind == "number"]):
        found |= _numbers(inputs, part, lists, compute)
    for part in _parts([name for name, kind in kinds.items() if kind == "time"]):
        found |= _times(inputs, part, compute)
    for name in [name for name, kind in kinds.items() if kind == "category"]:
        found[name] = _category(inputs, name, compute)
    return [found[name] for name in columns]


def _parts(names: list[str]) -> list[list[str]]:
    return [names[at : at + CHUNK] for at in range(0, len(names), CHUNK)]


def _one(sql: str, inputs: Mapping[str, Relation], compute: Compute) -> dict[str, Any]:
    (row,) = compute.query(sql, inputs).table().to_pylist()
    return dict(row)


def _numbers(
    inputs: Mapping[str, Relation], names: list[str], lists: Collection[str], compute: Compute
) -> dict[str, Shift]:
    values = [_number(name, is_list=name in lists) for name in names]
    stats = {side: _one(_numbers_sql(side, values), inputs, compute) for side in ("before", "after")}
    edges = [_edges(stats["before"][f"edges{n}"]) for n in range(len(names))]
    bins = {side: _one(_bins_sql(side, values, edges), inputs, compute) for side in ("before", "after")}
    found = {}
    for n, name in enumerate(names):
        spreads = {side: _spread(row, n) for side, row in stats.items()}
        counts = {side: [*row[f"bins{n}"], spreads[side].nulls] for side, row in bins.items()}
        found[name] = Shift(
            column=name,
            kind="number",
            before=spreads["before"],
            after=spreads["after"],
            psi=stability_index(counts["before"], counts["after"]),
        )
    return found


def _numbers_sql(side: str, values: list[str]) -> str:
    """NaN is no number: it is counted with the nulls."""
    quantiles = ", ".join(map(str, QUANTILES))
    deciles = ", ".join(str(n / BINS) for n in range(1, BINS))
    parts = []
    for n, x in enumerate(values):
        parts.append(
            f"count({x}) AS n{n}, avg({x}) AS mean{n}, stddev_samp({x}) AS std{n}, min({x}) AS min{n}, "
            f"max({x}) AS max{n}, quantile_cont({x}, [{quantiles}]) AS q{n}, "
            f"quantile_cont({x}, [{deciles}]) AS edges{n}"
        )
    return f"SELECT count(*) AS rows, {', '.join(parts)} FROM {side}"


def _number(name: str, *, is_list: bool) -> str:
    value = f"CAST({f'len({identifier(name)})' if is_list else identifier(name)} AS DOUBLE)"
    return f"(CASE WHEN isfinite({value}) THEN {value} END)"


def _edges(deciles: list[float] | None) -> list[float]:
    return sorted(set(deciles or ()))


def _bins_sql(side: str, values: list[str], edges: Sequence[list[float]]) -> str:
    parts = []
    for n, x in enumerate(values):
        bounds = [None, *edges[n], None]
        tests = [
            " AND ".join(
                [
                    f"{x} IS NOT NULL",
                    *([f"{x} > {low!r}"] if low is not None else []),
                    *([f"{x} <= {high!r}"] if high is not None else []),
                ]
            )
            for low, high in pairwise(bounds)
        ]
        parts.append(f"[{', '.join(f'count(*) FILTER (WHERE {test})' for test in tests)}] AS bins{n}")
    return f"SELECT {', '.join(parts)} FROM {side}"


def _spread(row: Mapping[str, Any], n: int) -> Spread:
    numbers = {name: row[f"{name}{n}"] for name in ("mean", "std", "min", "max")}
    quantiles = row[f"q{n}"] or [None] * len(QUANTILES)
    numbers |= {f"p{round(at * 100)}": value for at, value in zip(QUANTILES, quantiles, strict=True)}
    return Spread(rows=row["rows"], nulls=row["rows"] - row[f"n{n}"], numbers=numbers, top={})


def _times(inputs: Mapping[str, Relation], names: list[str], compute: Compute) -> dict[str, Shift]:
    parts = [
        f"count({x}) AS n{n}, CAST(min({x}) AS VARCHAR) AS least{n}, CAST(max({x}) AS VARCHAR) AS most{n}"
        for n, x in enumerate(map(identifier, names))
    ]
    rows = {
        side: _one(f"SELECT count(*) AS rows, {', '.join(parts)} FROM {side}", inputs, compute)
        for side in ("before", "after")
    }
    found = {}
    for n, name in enumerate(names):
        before, after = (
            Spread(
                rows=row["rows"],
                nulls=row["rows"] - row[f"n{n}"],
                numbers={},
                top={},
                least=row[f"least{n}"] or "",
                most=row[f"most{n}"] or "",
            )
            for row in (rows["before"], rows["after"])
        )
        found[name] = Shift(column=name, kind="time", before=before, after=after, psi=None)
    return found


def _category(inputs: Mapping[str, Relation], name: str, compute: Compute) -> Shift:
    """The most frequent values of either side, the rest and the nulls are the bins."""
    value = f"CAST({identifier(name)} AS VARCHAR)"
    sql = f"""
WITH counted AS (
    SELECT value, CAST(sum(before) AS BIGINT) AS before, CAST(sum(after) AS BIGINT) AS after FROM (
        SELECT {value} AS value, count(*) AS before, 0 AS after FROM before GROUP BY 1
        UNION ALL SELECT {value}, 0, count(*) FROM after GROUP BY 1
    ) GROUP BY value
),
ranked AS (
    SELECT *, CASE WHEN value IS NULL THEN 0 ELSE least(
        row_number() OVER (PARTITION BY value IS NULL ORDER BY before DESC, value),
        row_number() OVER (PARTITION BY value IS NULL ORDER BY after DESC, value)) END AS place FROM counted
)
SELECT CASE WHEN place > {literal(TOP)} THEN NULL ELSE value END AS value, value IS NULL AS missing,
       CAST(sum(before) AS BIGINT) AS before, CAST(sum(after) AS BIGINT) AS after
FROM ranked GROUP BY ALL ORDER BY before DESC, after DESC, value"""
    found = compute.query(sql, inputs).table().to_pylist()
    spreads = [_top(found, side) for side in ("before", "after")]
    psi = stability_index([row["before"] for row in found], [row["after"] for row in found])
    return Shift(column=name, kind="category", before=spreads[0], after=spreads[1], psi=psi)


def _top(found: list[dict[str, Any]], side: str) -> Spread:
    rows = sum(row[side] for row in found)
    nulls = sum(row[side] for row in found if row["missing"])
    top = {row["value"]: row[side] / rows for row in found if row["value"] is not None} if rows else {}
    return Spread(rows=rows, nulls=nulls, numbers={}, top=top)
