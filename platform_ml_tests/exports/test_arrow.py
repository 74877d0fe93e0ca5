import pytest

from platform_ml.exports import Arrow
from platform_ml.testing.exports import ExportContract


class TestArrow(ExportContract):
    @pytest.fixture
    def form(self):
        return Arrow()
