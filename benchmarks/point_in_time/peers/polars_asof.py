"""Polars' join_asof in its three engines.

It needs each entity's rows in time order. The spine is sorted by time for that; files that are sorted by entity and
time are right as they are, shuffled ones are sorted first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
from cases import ENTITY, ROW, TIME

if TYPE_CHECKING:
    import pyarrow as pa
    from cases import Case


def eager(case: Case) -> pl.DataFrame:
    """Frames in memory, one join after another; rows come in time order."""
    answer = pl.read_parquet(case.spine).sort(TIME)
    for number, file in enumerate(case.groups):
        group = pl.read_parquet(file, columns=[ENTITY, TIME, *case.values(number)])
        group = group if case.layout == "sorted" else group.sort(TIME)
        answer = answer.join_asof(group, on=TIME, by=ENTITY, strategy="backward", check_sortedness=False)
    return answer


def eager_ordered(case: Case) -> pl.DataFrame:
    """The same, in the order of the spine."""
    return eager(case).sort(ROW)


def lazy(case: Case) -> pl.DataFrame:
    """One plan, run in memory."""
    return _plan(case).collect(engine="in-memory")


def lazy_ordered(case: Case) -> pl.DataFrame:
    """The same, in the order of the spine."""
    return _plan(case).sort(ROW).collect(engine="in-memory")


def streaming(case: Case) -> pl.DataFrame:
    """One plan, run in batches."""
    return _plan(case).collect(engine="streaming")


def streaming_ordered(case: Case) -> pl.DataFrame:
    """The same, in the order of the spine."""
    return _plan(case).sort(ROW).collect(engine="streaming")


def rows(answer: pl.DataFrame) -> pa.Table:
    """The answer as Arrow."""
    return answer.to_arrow()


def _plan(case: Case) -> pl.LazyFrame:
    answer = pl.scan_parquet(case.spine).sort(TIME)
    for number, file in enumerate(case.groups):
        group = pl.scan_parquet(file).select(ENTITY, TIME, *case.values(number))
        group = group if case.layout == "sorted" else group.sort(TIME)
        answer = answer.join_asof(group, on=TIME, by=ENTITY, strategy="backward", check_sortedness=False)
    return answer
