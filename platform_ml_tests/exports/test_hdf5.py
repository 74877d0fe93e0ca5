import sys

import pyarrow as pa
import pytest

from platform_ml.exports import Hdf5
from platform_ml.spec.errors import PlatformError
from platform_ml.testing.exports import ExportContract


class TestHdf5(ExportContract):
    gaps = {"text_with_nul": "HDF5 ends text at a NUL character, so such text is refused."}  # noqa: RUF012

    @pytest.fixture
    def form(self):
        return Hdf5()


def test_without_its_library_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(PlatformError, match=r"needs h5py, .* Run: pip install 'platform_ml\[hdf5\]'"):
        Hdf5().write([], pa.schema([("x", pa.int64())]), tmp_path / "some")
