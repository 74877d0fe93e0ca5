"""The laws of readers: a member's test class inherits them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from platform_ml.exports import Arrow, ArrowStream, Csv, Hdf5, Jsonl, Npy, Parquet, TFRecord
from platform_ml.spec.export import FileFormat, StoredFile, StoredRows
from platform_ml.testing.exports import SCHEMA, cells, invented

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

FORMS = (Arrow(), ArrowStream(), Csv(), Hdf5(), Jsonl(), Npy(), Parquet(), TFRecord())


def store(form: FileFormat, folder: Path, rows: pa.Table, *, files: int = 1, batch: int = 100) -> StoredRows:
    """The rows in so many files of about the same size."""
    folder.mkdir(parents=True, exist_ok=True)
    places = [rows.num_rows * number // files for number in range(files + 1)]
    stored = []
    for number, (begin, end) in enumerate(pairwise(places)):
        path = folder / f"train-{number}{form.suffix}"
        part = rows.slice(begin, end - begin)
        stored.append(StoredFile(path=path, rows=form.write(part.to_batches(batch), rows.schema, path)))
    return StoredRows(format=form, files=tuple(stored), schema=rows.schema)


class ReaderContract:
    """What every reader promises: the rows of any format, in their order, as they are."""

    @pytest.fixture
    def reader(self) -> Any:
        """The member under test."""
        raise NotImplementedError

    def table(self, read: Any) -> pa.Table:
        """All that was read, as a table."""
        raise NotImplementedError

    @pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
    @pytest.mark.parametrize("files", [1, 3])
    def test_rows_are_those_that_were_stored(self, reader: Any, tmp_path: Path, form: FileFormat, files: int) -> None:
        rows = invented(500)
        found = self.table(reader.read(store(form, tmp_path, rows, files=files)))
        assert found.column_names == SCHEMA.names
        assert cells(found.cast(SCHEMA)) == cells(rows)

    @pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
    def test_a_split_without_rows_has_columns(self, reader: Any, tmp_path: Path, form: FileFormat) -> None:
        found = self.table(reader.read(store(form, tmp_path, invented(0))))
        assert (found.num_rows, found.column_names) == (0, SCHEMA.names)

    def test_a_folder_may_be_called_anything(self, reader: Any, tmp_path: Path) -> None:
        found = self.table(reader.read(store(Parquet(), tmp_path / "a*[b]?ä 'c'", invented(50))))
        assert found.num_rows == 50
