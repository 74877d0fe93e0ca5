import pytest

from platform_ml.exports import Hdf5
from platform_ml.testing.exports import ExportContract


class TestHdf5(ExportContract):
    gaps = {"text_with_nul": "HDF5 ends text at a NUL character, so such text is refused."}  # noqa: RUF012

    @pytest.fixture
    def form(self):
        return Hdf5()
