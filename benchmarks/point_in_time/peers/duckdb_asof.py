"""DuckDB's own ASOF join, as its documentation shows it.

`bitemporal` is what one has to write by hand to get what was known at each row's moment: a row counts from
greatest(event time, created) on, and only while no newer one was known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
from cases import CREATED, ENTITY, ROW, TIME

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa
    from cases import Case


def plain(case: Case) -> pa.Table:
    """One ASOF join a group; rows come in any order."""
    return _run(case, _join(case, _file))


def ordered(case: Case) -> pa.Table:
    """The same, in the order of the spine."""
    return _run(case, f"{_join(case, _file)} ORDER BY {ROW}")


def bitemporal(case: Case) -> pa.Table:
    """What was known at each row's moment."""
    return _run(case, _join(case, _known))


def rows(answer: pa.Table) -> pa.Table:
    """The answer is Arrow already."""
    return answer


def _run(case: Case, sql: str) -> pa.Table:
    config = {"threads": case.threads, "temp_directory": case.scratch}
    with duckdb.connect(config=config) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.sql(sql).to_arrow_table()


def _join(case: Case, source: Callable[[Case, int], str]) -> str:
    joins = "".join(
        f" ASOF LEFT JOIN ({source(case, number)}) AS g{number}"
        f" ON spine.{ENTITY} = g{number}.{ENTITY} AND spine.{TIME} >= g{number}.{TIME}"
        for number in range(len(case.groups))
    )
    spine, joined = case.columns[:3], case.columns[3:]
    columns = ", ".join([*(f"spine.{name}" for name in spine), *joined])
    return f"SELECT {columns} FROM read_parquet('{case.spine}') AS spine{joins}"


def _file(case: Case, number: int) -> str:
    columns = ", ".join([ENTITY, TIME, *case.values(number)])
    return f"SELECT {columns} FROM read_parquet('{case.groups[number]}')"


def _known(case: Case, number: int) -> str:
    values = ", ".join(case.values(number))
    return f"""
        SELECT {ENTITY}, available AS {TIME}, {values}
        FROM (
            SELECT {ENTITY}, {TIME}, {values}, greatest({TIME}, {CREATED}) AS available
            FROM read_parquet('{case.groups[number]}')
        )
        WINDOW known AS (
            PARTITION BY {ENTITY} ORDER BY available, {TIME}
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        )
        QUALIFY {TIME} = max({TIME}) OVER known AND lead(available) OVER known IS DISTINCT FROM available"""
