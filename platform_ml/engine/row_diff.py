"""Two sets of rows compared by key, as one streaming join."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from platform_ml.engine.ports import Compute, Relation

CHUNK = 500
"""Columns that one query compares."""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows that lie in one group before and in another (or the same, or none) after."""

    was: str | None
    now: str | None
    rows: int
    changed: int
    """Rows of which at least one compared column differs."""
    columns: Mapping[str, int]
    """Column → the rows in which it differs; only those that do."""


def row_changes(
    inputs: Mapping[str, Relation],
    *,
    key: Sequence[str],
    columns: Sequence[str],
    group: str,
    compute: Compute,
) -> list[Rows]:
    """How the rows of the input `before` became those of `after`, by the column `group` of both.

    A key is in each of them once at most. NaN equals NaN, and null equals null.
    """
    names = list(columns)
    parts = [names[at : at + CHUNK] for at in range(0, len(names), CHUNK)] or [[]]
    found: dict[tuple[str | None, str | None], Rows] = {}
    for number, part in enumerate(parts):
        any_of = names if number == 0 else []
        for row in compute.query(_sql(key, part, any_of, group), inputs).table().to_pylist():
            at = row["was"], row["now"]
            known = found.get(at)
            differ = {name: row[f"d{i}"] for i, name in enumerate(part) if row[f"d{i}"]}
            found[at] = Rows(
                was=row["was"],
                now=row["now"],
                rows=row["rows"],
                changed=known.changed if known else row["changed"],
                columns={**(known.columns if known else {}), **differ},
            )
    return sorted(found.values(), key=lambda rows: (rows.was or "", rows.now or ""))


def _sql(key: Sequence[str], columns: Sequence[str], any_of: Sequence[str], group: str) -> str:
    on = " AND ".join(f"before.{identifier(name)} = after.{identifier(name)}" for name in key)
    both = f"before.{identifier(group)} IS NOT NULL AND after.{identifier(group)} IS NOT NULL"
    whether = " OR ".join(map(_differs, any_of)) or "FALSE"
    counts = "".join(f", count(*) FILTER (WHERE {both} AND {_differs(name)}) AS d{n}" for n, name in enumerate(columns))
    return (
        f"SELECT before.{identifier(group)} AS was, after.{identifier(group)} AS now, count(*) AS rows, "
        f"count(*) FILTER (WHERE {both} AND ({whether})) AS changed{counts} "
        f"FROM before FULL JOIN after ON {on} GROUP BY ALL"
    )


def _differs(name: str) -> str:
    return f"before.{identifier(name)} IS DISTINCT FROM after.{identifier(name)}"
