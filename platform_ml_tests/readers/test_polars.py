import sys

import polars as pl
import pytest

from platform_ml.exports import Arrow, Csv, Parquet
from platform_ml.readers import Polars
from platform_ml.spec.errors import PlatformError
from platform_ml.testing.exports import invented
from platform_ml.testing.readers import FORMS, ReaderContract, store


class TestPolars(ReaderContract):
    @pytest.fixture
    def reader(self):
        return Polars()

    def table(self, read):
        return read.collect().to_arrow()


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_a_query_gets_the_rows_it_asks_for(tmp_path, form):
    rows = invented(500)
    frame = Polars().read(store(form, tmp_path, rows, files=2))
    expected = [row["word"] for row in rows.to_pylist() if (row["visits"] or 0) > 50]
    assert expected
    assert frame.filter(pl.col("visits") > 50).select("word").collect()["word"].to_list() == expected
    assert frame.head(7).collect()["word"].to_list() == rows["word"].to_pylist()[:7]
    assert frame.select(pl.len()).collect().item() == 500


@pytest.mark.parametrize("form", [Arrow(), Parquet(), Csv()], ids=lambda form: form.name)
def test_it_can_be_collected_twice(tmp_path, form):
    frame = Polars().read(store(form, tmp_path, invented(50)))
    assert frame.collect().equals(frame.collect())


def test_without_its_library_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(PlatformError, match=r"needs polars, .* Run: pip install 'platform_ml\[polars\]'"):
        Polars().read(store(Parquet(), tmp_path, invented(5)))
