import pyarrow.parquet as pq
import pytest

from platform_ml.formats import Parquet
from platform_ml.testing.features import invented, table
from platform_ml.testing.formats import FormatContract, read


class TestParquet(FormatContract):
    @pytest.fixture
    def form(self):
        return Parquet()

    def write(self, file, rows):
        pq.write_table(rows, file)

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            (b"PAR1PAR1", "it has 8 bytes, too few for a Parquet file"),
            (b"PAR1" + bytes(100), "its end is missing: it was truncated or is still being written"),
            (b"order_id,customer_id", "it does not begin like a Parquet file"),
        ],
    )
    def test_says_what_is_wrong(self, form, tmp_path, content, problem):
        file = tmp_path / "some.parquet"
        file.write_bytes(content)
        assert form.problem(str(file)) == problem

    @pytest.mark.parametrize("how", [{"compression": "zstd"}, {"row_group_size": 7}, {"use_dictionary": False}])
    def test_files_that_are_written_otherwise(self, form, tmp_path, how):
        file, rows = tmp_path / "some.parquet", table(invented(2))
        pq.write_table(rows, file, **how)
        assert read(form, file).equals(rows)
