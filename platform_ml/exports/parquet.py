"""Apache Parquet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.exports.schema import BATCH, bare, checked, chosen
from platform_ml.spec.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa


@dataclass(frozen=True, kw_only=True)
class Parquet:
    """A Parquet file (zstd): columns are read alone, row groups too; lossless, types included."""

    name: ClassVar[str] = "parquet"
    suffix: ClassVar[str] = ".parquet"
    loses: ClassVar[Mapping[str, str]] = {}

    def write(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema, path: Path) -> int:
        """A batch of rows is a row group."""
        import pyarrow.parquet as pq

        rows, plain = 0, bare(schema, lists=True)
        with pq.ParquetWriter(path, plain, compression="zstd") as writer:
            for batch in checked(batches, plain):
                writer.write_batch(batch)
                rows += batch.num_rows
        return rows

    def read(self, path: Path, *, first: int = 0, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Row groups before the one that holds `first` are not read."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(path) as file:
                wanted = chosen(bare(file.schema_arrow, lists=True), columns)
                groups: list[int] = []
                for number in range(file.num_row_groups):
                    rows = file.metadata.row_group(number).num_rows
                    if groups or first < rows:
                        groups.append(number)
                    else:
                        first -= rows
                for batch in file.iter_batches(BATCH, row_groups=groups, columns=wanted.names, use_threads=False):
                    if first < batch.num_rows:
                        cells = [batch[name] for name in wanted.names]
                        yield pa.RecordBatch.from_arrays(cells, schema=wanted).slice(first)
                    first = max(0, first - batch.num_rows)
        except (pa.ArrowInvalid, OSError) as error:
            raise StoreError(f"{path} is no whole Parquet file ({error}). Export it again.") from error

    def blocks(self, path: Path, rows: int) -> list[int]:
        """A row group each."""
        import pyarrow.parquet as pq

        with pq.ParquetFile(path) as file:
            return [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
