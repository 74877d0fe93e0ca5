"""How training rows leave the platform: files of a format, and the roles of their columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

ROLE = b"role"
"""The key of a field's metadata that says what the column is for."""
ENTITY, MOMENT, LABEL, KNOWN, FEATURE, HELPER = "entity", "event_time", "label", "known_time", "feature", "helper"


class FileFormat(Protocol):
    """Writes rows as they come and reads them back as they went in; never holds more than a few batches."""

    @property
    def name(self) -> str:
        """What commands and manifests call it."""
        ...

    @property
    def suffix(self) -> str:
        """What its files end with; empty where the rows of a split are a folder."""
        ...

    @property
    def loses(self) -> Mapping[str, str]:
        """Arrow type → what of it does not come back as it was, and why. Everything else comes back exactly."""
        ...

    def write(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema, path: Path) -> int:
        """Write `path` (and `schema.json` beside it where the format needs one); return the number of rows.

        Raises:
            RowsError: a type, value or batch that the format cannot hold.
        """
        ...

    def read(self, path: Path, *, first: int = 0, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The rows from number `first` on, in the schema that was written; `columns` in the order that was asked for.

        Raises:
            StoreError: the file is not what was written.
        """
        ...

    def blocks(self, path: Path, rows: int) -> list[int]:
        """The rows of each piece that can be read without what lies before it; their sum is `rows`."""
        ...


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """One file (or folder) of a split."""

    path: Path
    rows: int


@dataclass(frozen=True, kw_only=True)
class StoredRows:
    """The rows of one split, wherever they were written; readers turn them into frames or tensors."""

    format: FileFormat
    files: tuple[StoredFile, ...]
    schema: pa.Schema
    """The role of each column is in its field's metadata."""

    @property
    def rows(self) -> int:
        """How many there are."""
        return sum(file.rows for file in self.files)

    def names(self, role: str) -> list[str]:
        """The columns of a role, in order."""
        return [field.name for field in self.schema if (field.metadata or {}).get(ROLE) == role.encode()]

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """All rows in their order, a bounded number at a time."""
        for file in self.files:
            yield from self.format.read(file.path, columns=columns)
