import pytest

from platform_ml.exports import Npy
from platform_ml.testing.exports import ExportContract


class TestNpy(ExportContract):
    @pytest.fixture
    def form(self):
        return Npy()
