import sys

import h5py
import pyarrow as pa
import pytest

from platform_ml.exports import Hdf5
from platform_ml.spec.errors import PlatformError, StoreError
from platform_ml.testing.exports import ExportContract, invented, read


class TestHdf5(ExportContract):
    gaps = {"text_with_nul": "HDF5 ends text at a NUL character, so such text is refused."}  # noqa: RUF012

    @pytest.fixture
    def form(self):
        return Hdf5()


def test_without_its_library_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(PlatformError, match=r"needs h5py, .* Run: pip install 'platform_ml\[hdf5\]'"):
        Hdf5().write([], pa.schema([("x", pa.int64())]), tmp_path / "some")


def test_the_file_stands_alone_and_is_plain_hdf5(tmp_path):
    rows = invented(300)
    Hdf5().write(rows.to_batches(70), rows.schema, tmp_path / "some.h5")
    assert [file.name for file in tmp_path.iterdir()] == ["some.h5"]
    with h5py.File(tmp_path / "some.h5") as file:
        assert file["columns/customer_id"][:].tolist() == rows["customer_id"].to_pylist()
        assert file["columns/word"].asstr()[:].tolist() == [word or "" for word in rows["word"].to_pylist()]
        assert file["nulls/word"][:].tolist() == [word is None for word in rows["word"].to_pylist()]
        assert "customer_id" not in file["nulls"]


def test_more_columns_than_an_attribute_could_describe(tmp_path):
    rows = pa.table({f"column_{n}": [n] for n in range(2_000)})
    Hdf5().write(rows.to_batches(), rows.schema, tmp_path / "some.h5")
    assert read(Hdf5(), tmp_path / "some.h5", rows.schema).equals(rows)


@pytest.mark.parametrize("content", [b"", b"x" * 5_000])
def test_another_file_is_refused(tmp_path, content):
    (tmp_path / "some.h5").write_bytes(content)
    with pytest.raises(StoreError, match="no whole HDF5 export"):
        list(Hdf5().read(tmp_path / "some.h5"))
