"""SQL in memory with DuckDB: no database file, so any number of processes can compute at once."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from platform_ml.engine.ports import PARTITION, Files
from platform_ml.spec.errors import PlatformError, StoreError
from platform_ml.spec.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import duckdb
    import pyarrow as pa

    from platform_ml.engine.ports import Relation


OPENING = Lock()
"""Threads that ask at the same time for the first time share one database, too."""
SHOWN = 200
"""Characters of a failed query in its error."""


@dataclass(frozen=True, kw_only=True)
class DuckDB:
    """A connection in memory for every query: bounded memory, UTC, no state between queries."""

    memory: str = "1GB"
    """Above it, sorts and joins spill to a temporary folder."""
    threads: int | None = None
    """None: one per core."""

    def query(self, sql: str, inputs: Mapping[str, Relation]) -> Rows:
        """The rows of `sql` over these inputs."""
        import duckdb

        with OPENING:
            connection = _database(self.memory, self.threads or os.cpu_count() or 1).cursor()
        try:
            connection.execute("SET TimeZone = 'UTC'")
            for name, relation in inputs.items():
                _define(connection, name, relation)
            return Rows(connection=connection, answer=connection.sql(sql))
        except (duckdb.Error, RuntimeError) as error:  # DuckDB's own for names in a file that are no text
            if missing := _missing(inputs):
                raise StoreError(
                    f"{missing} is not there. Maintenance removes the files of versions that no dataset pins: read a "
                    "newer version. If this one is pinned, restore the file from a backup."
                ) from error
            raise PlatformError(f"{error} (in: {sql.strip()[:SHOWN]} …)") from error


@dataclass(frozen=True, kw_only=True)
class Rows:
    """What a query returned; read it once."""

    connection: duckdb.DuckDBPyConnection
    answer: duckdb.DuckDBPyRelation

    def types(self) -> dict[str, str]:
        """Column → SQL type; nothing runs for it."""
        return dict(zip(self.answer.columns, map(str, self.answer.types), strict=True))

    def table(self) -> pa.Table:
        """All rows."""
        import duckdb

        try:
            return self.answer.to_arrow_table()
        except duckdb.Error as error:
            raise PlatformError(str(error)) from error

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows as a stream, in order."""
        yield from self.answer.to_arrow_reader()


@cache
def _database(memory: str, threads: int) -> duckdb.DuckDBPyConnection:
    """One database a process: opening one costs more than a small query. Queries share nothing but its memory limit."""
    import duckdb

    return duckdb.connect(
        config={
            "memory_limit": memory,
            "threads": threads,
            "temp_directory": tempfile.gettempdir(),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )


def _missing(inputs: Mapping[str, Relation]) -> str | None:
    paths = (path for relation in inputs.values() if isinstance(relation, Files) for path in relation.paths)
    return next((path for path in paths if not Path(path).exists()), None)


def _define(connection: duckdb.DuckDBPyConnection, name: str, relation: Relation) -> None:
    if isinstance(relation, str):
        connection.execute(f"CREATE TEMP VIEW {identifier(name)} AS {relation}")
    elif not isinstance(relation, Files):
        connection.register(name, relation)
    elif not relation.paths:
        connection.register(name, relation.schema.empty_table())
    else:
        # The table's schema decides, never the first file's: files older than a column give nulls for it.
        declared = f"{name}_declared"
        connection.register(declared, relation.schema.empty_table())
        paths = ", ".join(literal(path) for path in relation.paths)
        # The partition comes from the path, as text.
        hive = ", hive_partitioning = true, hive_types_autocast = false" if PARTITION in relation.schema.names else ""
        connection.execute(
            f"CREATE TEMP VIEW {identifier(name)} AS FROM {identifier(declared)} "
            f"UNION ALL BY NAME FROM read_parquet([{paths}], union_by_name = true{hive})"
        )
