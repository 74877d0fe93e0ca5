import polars as pl
import pytest

from platform_ml.exports import Parquet
from platform_ml.spec.errors import StoreError
from platform_ml.testing.exports import SCHEMA, ExportContract, cells, invented


class TestParquet(ExportContract):
    @pytest.fixture
    def form(self):
        return Parquet()


def test_another_reader_gets_the_same_rows(tmp_path):
    rows, file = invented(300), tmp_path / "some.parquet"
    Parquet().write(rows.to_batches(70), rows.schema, file)
    assert cells(pl.read_parquet(file).to_arrow().cast(SCHEMA)) == cells(rows)


@pytest.mark.parametrize("share", [0, 0.3, 0.9])
def test_a_file_that_was_cut_off_is_refused(tmp_path, share):
    rows, file = invented(300), tmp_path / "some.parquet"
    Parquet().write(rows.to_batches(70), rows.schema, file)
    data = file.read_bytes()
    file.write_bytes(data[: int(share * len(data))])
    with pytest.raises(StoreError, match="no whole Parquet file"):
        list(Parquet().read(file))
