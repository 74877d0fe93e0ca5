"""Arrow IPC files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.exports.schema import bare, checked, chosen
from platform_ml.spec.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa


@dataclass(frozen=True, kw_only=True)
class Arrow:
    """An Arrow IPC file (Feather 2): mapped into memory and read without copying; lossless, types included."""

    name: ClassVar[str] = "arrow"
    suffix: ClassVar[str] = ".arrow"
    loses: ClassVar[Mapping[str, str]] = {}

    def write(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema, path: Path) -> int:
        """A batch of rows is a record batch of the file."""
        import pyarrow as pa

        rows, plain = 0, bare(schema, lists=True)
        with pa.ipc.new_file(path, plain) as writer:
            for batch in checked(batches, plain):
                writer.write_batch(batch)
                rows += batch.num_rows
        return rows

    def read(self, path: Path, *, first: int = 0, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Batches as they were written; those before `first` are passed over."""
        import pyarrow as pa

        try:
            with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
                wanted = chosen(bare(reader.schema, lists=True), columns)
                for number in range(reader.num_record_batches):
                    batch = reader.get_batch(number)
                    if first < batch.num_rows:
                        yield batch.select(wanted.names).slice(first)
                    first = max(0, first - batch.num_rows)
        except (pa.ArrowInvalid, OSError) as error:
            raise StoreError(f"{path} is no whole Arrow file ({error}). Export it again.") from error

    def blocks(self, path: Path, rows: int) -> list[int]:
        """A record batch each."""
        import pyarrow as pa

        with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
            return [reader.get_batch(number).num_rows for number in range(reader.num_record_batches)]
