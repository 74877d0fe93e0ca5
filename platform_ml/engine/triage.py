"""The rows of one file: most are evidently good, the doubtful ones are looked at, of repeated ones one is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.engine.judgement import outside_of, records_sql, refused_sql, repeated_sql, repeats
from platform_ml.engine.key_order import ordered

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    import pyarrow as pa

    from platform_ml.engine.ports import Compute
    from platform_ml.spec.source import Source


@dataclass(frozen=True, kw_only=True)
class Triaged:
    """What the rows of a file are worth."""

    good: pa.Table
    """In the declared columns and `_row`, its number; by key."""
    wrong: pa.Table
    """_row, _reasons (a list) and _record, by number."""
    again: pa.Table
    """Those of the wrong rows that are good but for another one that has their key, in the declared columns."""
    outside: pa.Table
    """The keys of those that are good but for their time, which belongs to another partition."""


def judge(
    source: Source,
    rows: pa.Table,
    raw: str,
    *,
    delivered: Mapping[str, str],
    span: tuple[datetime, datetime] | None,
    compute: Compute,
) -> Triaged:
    """Judge the rows of `triaged_sql`; `raw` is the relation that they come from, `delivered` its column → type."""
    import pyarrow as pa
    import pyarrow.compute as pc

    names = list(source.types)
    wrong = _schema().empty_table()
    outside = rows.slice(0, 0).select(source.key)
    if rows["_doubt"].null_count < rows.num_rows:
        doubtful = rows.filter(pc.is_valid(rows["_doubt"])).select(["_row", "_doubt"])
        asked = refused_sql(source, raw, delivered=delivered, span=span)
        wrong = compute.query(asked, {"rows": doubtful}).table().cast(_schema())
        outside = _outside(source, rows, wrong)
    good = rows.drop_columns(["_doubt"])
    if wrong.num_rows:
        good = good.filter(pc.invert(pc.is_in(good["_row"], wrong["_row"])))
    good, single = ordered(good, source.key)
    if single:
        return Triaged(good=good, wrong=wrong, again=good.slice(0, 0).select(names), outside=outside)
    lost = compute.query(repeated_sql(source), {"rows": good}).table()
    is_lost = pc.is_in(good["_row"], lost["_row"])
    late = refused(raw, delivered, lost, repeats(source), compute)
    return Triaged(
        good=good.filter(pc.invert(is_lost)),
        wrong=pa.concat_tables([wrong, late]).sort_by("_row"),
        again=good.filter(is_lost).select(names),
        outside=outside,
    )


def refused(raw: str, delivered: Collection[str], rows: pa.Table, reason: str, compute: Compute) -> pa.Table:
    """Good rows that are not let in for this reason, as `Triaged.wrong` has them; `rows` holds their numbers."""
    return compute.query(records_sql(raw, delivered, reason), {"rows": rows}).table().cast(_schema())


def _outside(source: Source, rows: pa.Table, wrong: pa.Table) -> pa.Table:
    import pyarrow.compute as pc

    first, count = pc.list_element(wrong["_reasons"], 0), pc.list_value_length(wrong["_reasons"])
    alone = wrong.filter(pc.and_(pc.equal(first, outside_of(source)), pc.equal(count, 1)))
    return rows.filter(pc.is_in(rows["_row"], alone["_row"])).select(source.key)


def _schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema({"_row": pa.int64(), "_reasons": pa.list_(pa.string()), "_record": pa.string()})
