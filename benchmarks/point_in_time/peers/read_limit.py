"""The limit: what it costs merely to read the columns that a join needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from cases import ENTITY, ROW, TIME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cases import Case


def arrow(case: Case) -> list[pa.Table]:
    """All columns in memory at once, decoded on all threads."""
    pa.set_cpu_count(case.threads)
    return [pq.read_table(file, columns=columns) for file, columns in _needed(case)]


def scan(case: Case) -> None:
    """Every value looked at once, nothing kept."""
    with duckdb.connect(config={"threads": case.threads}) as connection:
        for file, columns in _needed(case):
            # Sums need every value; the largest one stands in the file's statistics.
            looked_at = ", ".join(f"sum({f'epoch_us({name})' if name == TIME else name})" for name in columns)
            connection.sql(f"SELECT {looked_at} FROM read_parquet('{file}')").fetchall()


def _needed(case: Case) -> Iterator[tuple[str, list[str]]]:
    yield case.spine, [ROW, ENTITY, TIME]
    for number, file in enumerate(case.groups):
        yield file, [ENTITY, TIME, *case.values(number)]
