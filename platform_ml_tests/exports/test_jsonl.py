import pytest

from platform_ml.exports import Jsonl
from platform_ml.testing.exports import ExportContract


class TestJsonl(ExportContract):
    @pytest.fixture
    def form(self):
        return Jsonl()
