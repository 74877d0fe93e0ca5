"""The laws of formats: a member's test class inherits them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.spec.errors import PlatformError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.testing.features import SCHEMA, invented, table

if TYPE_CHECKING:
    from pathlib import Path

    from platform_ml.spec.source import Format

ROW_NUMBER = "file_row_number"


class FormatContract:
    """What every format promises: whole files are read as they are, and others are never read as if they were whole."""

    @pytest.fixture
    def form(self) -> Format:
        """The member under test."""
        raise NotImplementedError

    def write(self, file: Path, rows: pa.Table) -> None:
        """How a supplier writes such a file."""
        raise NotImplementedError

    @pytest.fixture
    def delivered(self, tmp_path: Path, form: Format) -> Path:
        """A whole file of 500 events."""
        file = tmp_path / f"visits{form.suffix}"
        self.write(file, table(invented(1, events=500)))
        return file

    def test_says_what_it_is(self, form: Format) -> None:
        assert form.suffix.startswith(".")
        assert fingerprint(form) == fingerprint(form)

    def test_rows_come_back_in_their_order(self, form: Format, delivered: Path) -> None:
        assert form.problem(str(delivered)) is None
        assert read(form, delivered).equals(table(invented(1, events=500)))

    def test_rows_are_numbered_from_the_first(self, form: Format, delivered: Path) -> None:
        sql = f"SELECT {ROW_NUMBER} AS n FROM {form.sql(str(delivered))} ORDER BY n"
        assert DuckDB(threads=2).query(sql, {}).table()["n"].to_pylist() == list(range(500))

    def test_a_file_without_rows_is_whole(self, form: Format, tmp_path: Path) -> None:
        file = tmp_path / f"empty{form.suffix}"
        self.write(file, SCHEMA.empty_table())
        assert form.problem(str(file)) is None
        assert read(form, file).num_rows == 0

    @pytest.mark.parametrize("name", ["it's", 'a "b"', "ä ö", "a;b", "100%", "[x]"])
    def test_a_path_may_be_called_anything(self, form: Format, delivered: Path, name: str) -> None:
        file = delivered.with_name(f"{name}{form.suffix}")
        delivered.rename(file)
        assert form.problem(str(file)) is None
        assert read(form, file).num_rows == 500

    def test_text_stays_as_it_is(self, form: Format, tmp_path: Path) -> None:
        file = tmp_path / f"text{form.suffix}"
        items = ["", " ", "ß€𝄞", "a,b\n", "'\"\\", None]
        rows = pa.table(
            {name: pa.array([None] * len(items), kind) for name, kind in zip(SCHEMA.names, SCHEMA.types, strict=True)}
        )
        self.write(file, rows.set_column(1, "item", pa.array(items)))
        assert read(form, file)["item"].to_pylist() == items

    @pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99])
    def test_a_file_that_was_cut_off_is_not_read(self, form: Format, delivered: Path, share: float) -> None:
        whole = delivered.read_bytes()
        delivered.write_bytes(whole[: int(len(whole) * share)])
        self.assert_refused(form, delivered)

    @pytest.mark.parametrize("content", [b"", b"x", b"<html>Not found</html>", b"\0" * 5_000])
    def test_another_file_is_not_read(self, form: Format, delivered: Path, content: bytes) -> None:
        delivered.write_bytes(content)
        self.assert_refused(form, delivered)

    def assert_refused(self, form: Format, file: Path) -> None:
        """Either it is seen beforehand, with a reason, or reading fails."""
        if problem := form.problem(str(file)):
            assert problem.startswith("it")
            return
        with pytest.raises(PlatformError):
            read(form, file)


def read(form: Format, file: Path) -> pa.Table:
    """All rows, without their number."""
    sql = f"SELECT * EXCLUDE ({ROW_NUMBER}) FROM {form.sql(str(file))}"
    return DuckDB(threads=2).query(sql, {}).table()
