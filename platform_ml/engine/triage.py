"""The rows of one file: most are evidently good, the doubtful ones are looked at, of repeated ones one is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.engine.judgement import exact_sql, records_sql, refused_sql, repeated_sql
from platform_ml.engine.key_order import ordered

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import pyarrow as pa

    from platform_ml.engine.ports import Compute
    from platform_ml.spec.source import Source


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What a file's rows are worth."""

    good: pa.Table
    """In the declared columns, by key."""
    refused: pa.Table
    """_row (its number), _reasons (a list) and _record, by number."""
    repeated: int
    """Good rows that were refused because another one has their key."""
    exact: int
    """Of those, the ones that are the same in every column."""


def judge(
    source: Source,
    rows: pa.Table,
    raw: str,
    *,
    delivered: Mapping[str, str],
    span: tuple[datetime, datetime] | None,
    compute: Compute,
) -> Judged:
    """Judge the rows of `triaged_sql`; `raw` is the relation that they come from, `delivered` its column → type."""
    import pyarrow as pa
    import pyarrow.compute as pc

    names = list(source.types)
    refused = _refused_schema().empty_table()
    if rows["_doubt"].null_count < rows.num_rows:
        doubtful = rows.filter(pc.is_valid(rows["_doubt"])).select(["_row", "_doubt"])
        asked = refused_sql(source, raw, delivered=delivered, span=span)
        refused = compute.query(asked, {"rows": doubtful}).table().cast(_refused_schema())
    good = rows.drop_columns(["_doubt"])
    if refused.num_rows:
        good = good.filter(pc.invert(pc.is_in(good["_row"], refused["_row"])))
    good, single = ordered(good, source.key)
    if single:
        return Judged(good=good.select(names), refused=refused, repeated=0, exact=0)
    again = compute.query(repeated_sql(source), {"rows": good}).table()
    is_again = pc.is_in(good["_row"], again["_row"])
    repeated, good = good.filter(is_again).select(names), good.filter(pc.invert(is_again)).select(names)
    exact = compute.query(exact_sql(source), {"repeated": repeated, "accepted": good}).table()["n"][0].as_py()
    late = compute.query(records_sql(source, raw, delivered), {"rows": again}).table().cast(_refused_schema())
    refused = pa.concat_tables([refused, late]).sort_by("_row")
    return Judged(good=good, refused=refused, repeated=repeated.num_rows, exact=exact)


def _refused_schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema({"_row": pa.int64(), "_reasons": pa.list_(pa.string()), "_record": pa.string()})
