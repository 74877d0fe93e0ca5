import pytest

from platform_ml.exports import ArrowStream
from platform_ml.testing.exports import ExportContract


class TestArrowStream(ExportContract):
    @pytest.fixture
    def form(self):
        return ArrowStream()
