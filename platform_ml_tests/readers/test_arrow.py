import pytest

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.exports import Jsonl, Parquet
from platform_ml.readers import Arrow
from platform_ml.spec.errors import RowsError
from platform_ml.testing.exports import invented
from platform_ml.testing.readers import ReaderContract, store


class TestArrow(ReaderContract):
    @pytest.fixture
    def reader(self):
        return Arrow()

    def table(self, read):
        return read.read_all()


def test_columns_are_chosen(tmp_path):
    rows = invented(50)
    reader = Arrow(columns=("word", "visits")).read(store(Jsonl(), tmp_path, rows))
    assert reader.read_all().equals(rows.select(["word", "visits"]))


def test_an_unknown_column_is_refused(tmp_path):
    with pytest.raises(RowsError, match="There is no column 'wrd'"):
        Arrow(columns=("wrd",)).read(store(Jsonl(), tmp_path, invented(5)))


def test_duckdb_takes_the_stream(tmp_path):
    rows = invented(500)
    reader = Arrow().read(store(Parquet(), tmp_path, rows))
    found = DuckDB(threads=2).query("SELECT count(*) AS n FROM rows", {"rows": reader.read_all()}).table()
    assert found["n"].to_pylist() == [500]
