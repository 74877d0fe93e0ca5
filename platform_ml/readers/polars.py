"""Polars lazy frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.exports import Arrow, Parquet
from platform_ml.spec.libraries import library

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from platform_ml.spec.export import StoredRows


@dataclass(frozen=True, kw_only=True)
class Polars:
    """The rows as a `polars.LazyFrame`: only what a query asks for is read. Needs `pip install 'platform_ml[polars]'`.

    Parquet and Arrow files are scanned by Polars itself; other formats batch by batch, with the columns and the
    number of rows that the query needs.
    """

    def read(self, rows: StoredRows) -> pl.LazyFrame:
        """Nothing is read before `collect` or a sink."""
        polars = library("polars", extra="polars", user="Polars")
        frame: pl.LazyFrame
        paths = [file.path for file in rows.files]
        if isinstance(rows.format, Parquet):
            frame = polars.scan_parquet(paths, glob=False)
        elif isinstance(rows.format, Arrow):
            frame = polars.concat([polars.scan_ipc(path, glob=False) for path in paths])
        else:
            frame = _scan(rows)
        return frame


def _scan(rows: StoredRows) -> pl.LazyFrame:
    import polars as pl
    from polars.io.plugins import register_io_source

    schema = pl.from_arrow(rows.schema.empty_table()).schema  # type: ignore[union-attr]

    def batches(
        columns: list[str] | None, predicate: pl.Expr | None, limit: int | None, batch_rows: int | None
    ) -> Iterator[pl.DataFrame]:
        left = rows.rows if limit is None else limit
        for batch in rows.batches(columns):
            frame = pl.DataFrame(pl.from_arrow(batch.slice(0, left)))
            left -= len(frame)
            yield frame if predicate is None else frame.filter(predicate)
            if left <= 0:
                return

    return register_io_source(batches, schema=schema, is_pure=True)
