"""Data checks: compiled into one pass over the rows, judged before anything is committed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from platform_ml.checks.history import judged_rows
from platform_ml.engine.bounds import outside_sql
from platform_ml.engine.content import canonical
from platform_ml.engine.key_order import rises, runs
from platform_ml.engine.ports import PARTITION
from platform_ml.spec.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import pyarrow as pa

    from platform_ml.engine.ports import Compute
    from platform_ml.spec.schema import Column


HISTORY = 56
"""Earlier partitions that say what number of rows is usual."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """A rule that every partition of a table is held against."""

    name: str
    blocking: bool
    """Whether a partition that breaks it is kept out; otherwise it is a warning."""
    description: str


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a check found in one partition."""

    check: Check
    partition: str
    passed: bool
    reason: str
    numbers: Mapping[str, float | str] = field(default_factory=dict)

    @property
    def stops(self) -> bool:
        """Whether the partition must not be committed."""
        return self.check.blocking and not self.passed


SCHEMA = Check(name="schema", blocking=True, description="The columns have the declared names and types, in order.")
NOT_NULL = Check(name="not_null", blocking=True, description="Columns that cannot be null are not.")
UNIQUE_KEY = Check(name="unique_key", blocking=True, description="No two rows share a key.")
VOLUME = Check(name="volume", blocking=False, description="As many rows as usual: neither cut off nor doubled.")
FRESH = Check(name="fresh", blocking=True, description="Rows belong to the time that the partition stands for.")
RANGES = Check(
    name="ranges",
    blocking=True,
    description="Columns taken over as they are keep to the range and the values that their source declares.",
)
REJECTED = Check(
    name="rejected", blocking=True, description="At most the declared share of delivered rows is rejected."
)
ONE_EACH = Check(name="one_row_each", blocking=True, description="Exactly one row for each row that is joined to.")
TABLE_CHECKS = (SCHEMA, NOT_NULL, UNIQUE_KEY, VOLUME, FRESH)


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What the rows of a table must be like."""

    schema: Mapping[str, str]
    """Column → Arrow type as text, in order."""
    required: Sequence[str]
    key: Sequence[str]
    differing: Sequence[str] | None = None
    """Rows may share a key unless they differ in these columns; None: they may not."""
    time: str | None = None
    span: Mapping[str, tuple[datetime, datetime]] = field(default_factory=dict)
    """Partition → the first and the last moment that its rows may have."""
    usual_rows: tuple[int, int] | None = None
    """The declared least and most rows; None: compare with the partition before."""
    exact_rows: Mapping[str, int] | None = None
    """Partition → the rows that it has to have."""
    advice: Mapping[Check, str] = field(default_factory=dict)
    """What to do where a check fails, beyond what goes without saying."""
    bounds: Mapping[str, Column] = field(default_factory=dict)
    """Columns whose range or allowed values are declared where they come from."""


def audit(
    rows: pa.Table, expected: Expectation, *, partitions: Sequence[str], before: Mapping[str, int], compute: Compute
) -> list[Finding]:
    """Hold staged rows (with a `_partition` column) against what is expected of them.

    `before` is the number of rows of the partitions before the first one, oldest first.
    """
    found = {field.name: _name(field.type) for field in rows.schema}
    found.pop(PARTITION)
    if list(found.items()) != list(expected.schema.items()):
        wrong = ", ".join(sorted({f"{n} is {t}" for n, t in found.items() if expected.schema.get(n) != t}))
        reason = f"Expected {dict(expected.schema)}, found {wrong or 'another order or missing columns'}."
        return [Finding(check=SCHEMA, partition=key, passed=False, reason=reason) for key in partitions]
    measured = _measured_in_order(rows, expected, compute)
    if measured is None:
        measured = {row[PARTITION]: row for row in compute.query(_sql(expected), {"rows": rows}).table().to_pylist()}
    empty = {"rows": 0, "nulls": 0, "duplicates": 0, "outside": 0, "first": None, "last": None}
    holes = [name for name in expected.required if rows[name].null_count]
    findings, earlier = [], dict(before)
    for key in partitions:
        numbers = measured.get(key, empty)
        findings += _judge(key, numbers, expected, earlier, holes)
        earlier[key] = numbers["rows"]
    return findings


def _name(kind: pa.DataType) -> str:
    """Lists are the same whatever their elements are called: DuckDB and Delta call them otherwise."""
    from pyarrow import types

    return str(canonical(kind) if types.is_list(kind) else kind)


def _measured_in_order(rows: pa.Table, expected: Expectation, compute: Compute) -> dict[str, dict[str, Any]] | None:
    """What the query would find, where each partition is in the strict order of its key; otherwise None."""
    import pyarrow.compute as pc

    measured: dict[str, dict[str, Any]] = {}
    for key, start, count in runs(rows[PARTITION]):
        part = rows.slice(start, count)
        if key in measured or not rises(part, expected.key):
            return None
        ends = pc.min_max(part[expected.time]).as_py() if expected.time else {"min": None, "max": None}
        nulls = sum(part[column].null_count for column in expected.required)
        found = {"rows": count, "nulls": nulls, "duplicates": 0, "outside": 0}
        measured[key] = found | {"first": ends["min"], "last": ends["max"]}
    if expected.bounds:
        sql = f"SELECT {PARTITION}, {outside_sql(expected.bounds)} AS outside FROM rows GROUP BY {PARTITION}"
        for row in compute.query(sql, {"rows": rows}).table().to_pylist():
            measured[row[PARTITION]]["outside"] = row["outside"]
    return measured


def _sql(expected: Expectation) -> str:
    nulls = " + ".join(f"count_if({identifier(column)} IS NULL)" for column in expected.required) or "0"
    key = ", ".join(map(identifier, expected.key))
    same = "count(*)"
    if expected.differing is not None:
        compared = ", ".join(map(identifier, expected.differing))
        same = f"count(DISTINCT row({compared}))" if compared else "1"
    time = identifier(expected.time) if expected.time else "NULL::TIMESTAMPTZ"
    # Counting groups of (partition, key) and adding them up is far cheaper than count(DISTINCT ...).
    return f"""
        SELECT {PARTITION}, sum(_n)::BIGINT AS rows, sum(_nulls)::BIGINT AS nulls, sum(_same - 1)::BIGINT AS duplicates,
               sum(_outside)::BIGINT AS outside, min(_first) AS first, max(_last) AS last
        FROM (SELECT {PARTITION}, {key}, count(*) AS _n, {same} AS _same, {nulls} AS _nulls,
                     {outside_sql(expected.bounds)} AS _outside,
                     min({time}) AS _first, max({time}) AS _last
              FROM rows GROUP BY {PARTITION}, {key})
        GROUP BY {PARTITION}"""


def _judge(
    key: str,
    numbers: Mapping[str, object],
    expected: Expectation,
    before: Mapping[str, int],
    holes: Sequence[str],
) -> list[Finding]:
    """`holes` are the columns that have nulls in any partition and must not."""
    rows, nulls, duplicates = (int(str(numbers[name])) for name in ("rows", "nulls", "duplicates"))
    findings = [
        Finding(check=SCHEMA, partition=key, passed=True, reason=f"{len(expected.schema)} columns as declared."),
        Finding(
            check=NOT_NULL,
            partition=key,
            passed=not nulls,
            reason=f"{nulls} nulls in {', '.join(holes if nulls else expected.required)}.",
            numbers={"nulls": nulls},
        ),
        Finding(
            check=UNIQUE_KEY,
            partition=key,
            passed=not duplicates,
            reason=f"{duplicates} rows repeat a key of ({', '.join(expected.key)})."
            + (_advice(UNIQUE_KEY, expected) if duplicates else ""),
            numbers={"duplicates": duplicates},
        ),
    ]
    if expected.bounds:
        outside = int(str(numbers["outside"]))
        reason = f"{outside} values of {', '.join(expected.bounds)} are outside of what is declared."
        numbered = {"outside": outside}
        findings.append(Finding(check=RANGES, partition=key, passed=not outside, reason=reason, numbers=numbered))
    if expected.exact_rows is None:
        findings.append(_volume(key, rows, expected, before))
    else:
        wanted = expected.exact_rows[key]
        reason = f"{rows:,} rows for {wanted:,}."
        findings.append(Finding(check=ONE_EACH, partition=key, passed=rows == wanted, reason=reason))
    if expected.time:
        findings.append(_fresh(key, numbers, expected))
    return findings


def _volume(key: str, rows: int, expected: Expectation, before: Mapping[str, int]) -> Finding:
    if expected.usual_rows:
        low, high = expected.usual_rows
        usual = f"between {low:,} and {high:,} are declared as usual"
        passed = low <= rows <= high
    else:
        passed, usual, _ = judged_rows(key, rows, dict(list(before.items())[-HISTORY:]))
    return Finding(
        check=VOLUME, partition=key, passed=passed, reason=f"{rows:,} rows; {usual}.", numbers={"rows": rows}
    )


def _fresh(key: str, numbers: Mapping[str, object], expected: Expectation) -> Finding:
    first, last = numbers["first"], numbers["last"]
    low, high = expected.span[key]
    passed = first is None or (low <= first and last <= high)  # type: ignore[operator]
    reason = "No rows." if first is None else f"{expected.time} from {first} to {last}; allowed {low} to {high}."
    return Finding(
        check=FRESH, partition=key, passed=passed, reason=reason + ("" if passed else _advice(FRESH, expected))
    )


def _advice(check: Check, expected: Expectation) -> str:
    return f" {expected.advice[check]}" if check in expected.advice else ""
