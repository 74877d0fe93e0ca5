"""Rows that an origin fetched from where they have no file: Parquet, with the faults that were found on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.engine.judgement import RECORD
from platform_ml.formats import Parquet
from platform_ml.spec.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.spec.schema import Column
    from platform_ml.spec.source import Format, Source


@dataclass(frozen=True, kw_only=True)
class FetchedRows(Parquet):
    """The rows of a database."""

    def sql(self, path: str, columns: Sequence[Column], *, sifted: bool = False) -> str:
        """A row that was right when it was fetched has no record yet: it is made of its columns."""
        own = ", ".join(f"{identifier(column.name)} := {identifier(column.name)}" for column in columns)
        rows = super().sql(path, columns, sifted=sifted)
        record = f"coalesce({RECORD}, CAST(to_json(struct_pack({own})) AS VARCHAR))"
        return f"(SELECT * REPLACE ({record} AS {RECORD}) FROM {rows})"


def format_of(source: Source) -> Format:
    """How what is delivered is read: as declared, and of what comes from a database as it was fetched."""
    return source.format or FetchedRows()
