"""Arrow IPC streams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.exports.schema import after, bare, checked, chosen
from platform_ml.spec.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa


@dataclass(frozen=True, kw_only=True)
class ArrowStream:
    """An Arrow IPC stream: read from its beginning, also through a pipe or a socket; lossless, types included."""

    name: ClassVar[str] = "arrow-stream"
    suffix: ClassVar[str] = ".arrows"
    loses: ClassVar[Mapping[str, str]] = {}

    def write(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema, path: Path) -> int:
        """A batch of rows is a message of the stream."""
        import pyarrow as pa

        rows, plain = 0, bare(schema, lists=True)
        with pa.ipc.new_stream(path, plain) as writer:
            for batch in checked(batches, plain):
                writer.write_batch(batch)
                rows += batch.num_rows
        return rows

    def read(self, path: Path, *, first: int = 0, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Batches as they were written."""
        import pyarrow as pa

        try:
            with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as reader:
                wanted = chosen(bare(reader.schema, lists=True), columns)
                for batch in after(reader, first):
                    yield batch.select(wanted.names)
        except (pa.ArrowInvalid, OSError) as error:
            raise StoreError(f"{path} is no whole Arrow stream ({error}). Export it again.") from error

    def blocks(self, path: Path, rows: int) -> list[int]:
        """One: a stream has no table of contents."""
        return [rows]
