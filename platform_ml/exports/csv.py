"""Comma-separated values (RFC 4180)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.exports.schema import after, bare, check_years, checked, chosen, load_sidecar, save_sidecar
from platform_ml.spec.errors import RowsError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa


@dataclass(frozen=True, kw_only=True)
class Csv:
    """UTF-8 with a header; the types are in `schema.json`. Lossless.

    Text is always in quotes, a null is nothing at all: `""` is the empty text and stays apart from it. Numbers have
    as many digits as it takes to get the same bits back; `nan`, `inf` and `-inf` are numbers. Text that a spreadsheet
    would run as a formula (`=1+1`) is written as it is: exact rows matter more here, so do not open foreign text in
    one.
    """

    name: ClassVar[str] = "csv"
    suffix: ClassVar[str] = ".csv"
    loses: ClassVar[Mapping[str, str]] = {}
    block_bytes: int = 4 << 20
    """What is read at once; Arrow reads up to 32 of them ahead. A row with text of more than half of it is refused."""

    def write(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema, path: Path) -> int:
        """Rows are lines, except where text holds line breaks."""
        import pyarrow.csv as pc

        rows, plain = 0, bare(schema)
        save_sidecar(path, plain)
        with pc.CSVWriter(path, plain) as writer:
            for batch in checked(batches, plain):
                check_years(batch)
                self._check_length(batch)
                writer.write_batch(batch)
                rows += batch.num_rows
        return rows

    def read(self, path: Path, *, first: int = 0, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Some megabytes of text at a time, in one thread."""
        import pyarrow as pa
        import pyarrow.csv as pc

        schema = load_sidecar(path)
        wanted = chosen(schema, columns)
        try:
            with pc.open_csv(
                path,
                read_options=pc.ReadOptions(block_size=self.block_bytes, use_threads=False),
                parse_options=pc.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
                convert_options=pc.ConvertOptions(
                    column_types=schema,
                    include_columns=wanted.names,
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=False,
                ),
            ) as reader:
                for batch in after(reader, first):
                    yield pa.RecordBatch.from_arrays(batch.columns, schema=wanted)
        except (pa.ArrowInvalid, pa.ArrowKeyError, OSError) as error:
            raise StoreError(f"{path} does not hold the rows of its schema.json ({error}). Export it again.") from error

    def blocks(self, path: Path, rows: int) -> list[int]:
        """One: where a line begins is known only from the beginning."""
        return [rows]

    def _check_length(self, batch: pa.RecordBatch) -> None:
        """In quotes, text is twice as long at most."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        texts = [column for column in batch.columns if pa.types.is_string(column.type)]
        lengths = sum(pc.binary_length(text).fill_null(0).to_numpy().astype(np.int64) for text in texts)
        if (longest := int(np.max(lengths, initial=0))) > self.block_bytes // 2:
            raise RowsError(
                f"A row has {longest:,} bytes of text, too many to be read in blocks of {self.block_bytes:,} bytes. "
                "Use another format, or a greater block_bytes for writing and reading."
            )
