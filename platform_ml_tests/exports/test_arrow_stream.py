import pyarrow as pa
import pytest

from platform_ml.exports import ArrowStream
from platform_ml.spec.errors import StoreError
from platform_ml.testing.exports import SCHEMA, ExportContract, cells, invented


class TestArrowStream(ExportContract):
    @pytest.fixture
    def form(self):
        return ArrowStream()


def test_another_reader_gets_the_same_rows(tmp_path):
    rows, file = invented(300), tmp_path / "some.arrows"
    ArrowStream().write(rows.to_batches(70), rows.schema, file)
    assert cells(pa.ipc.open_stream(file).read_all().cast(SCHEMA)) == cells(rows)


@pytest.mark.parametrize("share", [0, 0.3, 0.9])
def test_a_file_that_was_cut_off_is_refused(tmp_path, share):
    rows, file = invented(300), tmp_path / "some.arrows"
    ArrowStream().write(rows.to_batches(70), rows.schema, file)
    data = file.read_bytes()
    file.write_bytes(data[: int(share * len(data))])
    with pytest.raises(StoreError, match="no whole Arrow stream"):
        list(ArrowStream().read(file))
