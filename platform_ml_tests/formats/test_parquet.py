import pyarrow.parquet as pq
import pytest

from platform_ml.formats import Parquet
from platform_ml.testing.formats import FormatContract, rows


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
    def test_files_that_are_written_otherwise(self, form, work, how):
        file = self.deliver(form, work, rows(50))
        pq.write_table(rows(50), file, **how)
        assert self.found(form, work).accepted.equals(rows(50))
