"""A new run gets into PostgreSQL together with its tags.

Dagster commits the run first and then its tags. A daemon that is killed in between leaves a run that no search by run
key, reason or backfill finds: the next tick would ask for the same once more, and a backfill would wait for nothing.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dagster._core.storage.runs.sql_run_storage import SqlRunStorage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy.engine import Connection

ADD = "_core_add_run"


def add_whole_runs(storage: object) -> None:
    """Let every run storage of this kind do so, in this process; one that is not PostgreSQL does so anyway."""
    if hasattr(storage, "postgres_url"):
        setattr(type(storage), ADD, _add)


def _add(storage: Any, values: dict[str, Any], tags: Mapping[str, str]) -> None:
    getattr(SqlRunStorage, ADD)(_Together(storage), values, tags)


class _Together:
    """A storage whose statements are one transaction, where Dagster commits each."""

    def __init__(self, storage: Any) -> None:
        self._storage = storage

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with self._storage.connect() as connection:
            together = connection.execution_options(isolation_level="READ COMMITTED")
            with together.begin():
                yield together
