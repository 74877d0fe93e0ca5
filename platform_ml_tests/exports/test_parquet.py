import pytest

from platform_ml.exports import Parquet
from platform_ml.testing.exports import ExportContract


class TestParquet(ExportContract):
    @pytest.fixture
    def form(self):
        return Parquet()
