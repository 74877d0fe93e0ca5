import csv

import pyarrow as pa
import pytest

from platform_ml.exports import Csv
from platform_ml.spec.errors import RowsError, StoreError
from platform_ml.testing.exports import ExportContract


class TestCsv(ExportContract):
    @pytest.fixture
    def form(self):
        return Csv()

    def frugal(self, form):
        return Csv(block_bytes=1 << 16)


def test_another_reader_gets_the_same_text(tmp_path):
    words = ["", "a,b", 'say "so"', "one\r\ntwo", "=1+1", "ß€𝄞"]
    table = pa.table({"n": range(len(words)), "word": words})
    Csv().write(table.to_batches(), table.schema, tmp_path / "some.csv")
    with (tmp_path / "some.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [["n", "word"], *([str(n), word] for n, word in enumerate(words))]


def test_null_is_nothing_and_empty_text_is_quoted(tmp_path):
    table = pa.table({"word": ["", None], "n": [None, 1]})
    Csv().write(table.to_batches(), table.schema, tmp_path / "some.csv")
    assert (tmp_path / "some.csv").read_text() == '"word","n"\n"",\n,1\n'


def test_a_row_that_no_block_holds_is_refused_when_it_is_written(tmp_path):
    form, table = Csv(block_bytes=1_000), pa.table({"a": ["x" * 300], "b": ["y" * 300]})
    with pytest.raises(RowsError, match="A row has 600 bytes of text"):
        form.write(table.to_batches(), table.schema, tmp_path / "some.csv")


@pytest.mark.parametrize("text", ["", '"n"\n1\n', '"n","m"\n1\n', '"n","m"\n1,x\n'])
def test_another_file_is_refused(tmp_path, text):
    table = pa.table({"n": [1], "m": [2]})
    Csv().write(table.to_batches(), table.schema, tmp_path / "some.csv")
    (tmp_path / "some.csv").write_text(text)
    with pytest.raises(StoreError, match="does not hold the rows"):
        list(Csv().read(tmp_path / "some.csv"))


def test_without_its_schema_it_is_refused(tmp_path):
    table = pa.table({"n": [1]})
    Csv().write(table.to_batches(), table.schema, tmp_path / "some.csv")
    (tmp_path / "schema.json").unlink()
    with pytest.raises(StoreError, match=r"schema\.json cannot be read"):
        list(Csv().read(tmp_path / "some.csv"))


def test_files_of_one_folder_are_alike(tmp_path):
    one, other = pa.table({"n": [1]}), pa.table({"n": ["1"]})
    Csv().write(one.to_batches(), one.schema, tmp_path / "one.csv")
    with pytest.raises(StoreError, match="describes other columns"):
        Csv().write(other.to_batches(), other.schema, tmp_path / "other.csv")
