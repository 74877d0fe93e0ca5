import pytest
from pyarrow import feather

from platform_ml.exports import Arrow
from platform_ml.spec.errors import StoreError
from platform_ml.testing.exports import SCHEMA, ExportContract, cells, invented


class TestArrow(ExportContract):
    @pytest.fixture
    def form(self):
        return Arrow()


def test_another_reader_gets_the_same_rows(tmp_path):
    rows, file = invented(300), tmp_path / "some.arrow"
    Arrow().write(rows.to_batches(70), rows.schema, file)
    assert cells(feather.read_table(file).cast(SCHEMA)) == cells(rows)


@pytest.mark.parametrize("share", [0, 0.3, 0.9])
def test_a_file_that_was_cut_off_is_refused(tmp_path, share):
    rows, file = invented(300), tmp_path / "some.arrow"
    Arrow().write(rows.to_batches(70), rows.schema, file)
    data = file.read_bytes()
    file.write_bytes(data[: int(share * len(data))])
    with pytest.raises(StoreError, match="no whole Arrow file"):
        list(Arrow().read(file))
