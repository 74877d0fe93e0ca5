from dataclasses import replace

import pytest

from platform_ml.gates import Size
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.declarations import numbers
from platform_ml.testing.gates import GateContract


class TestSize(GateContract):
    @pytest.fixture
    def gate(self):
        return Size(1_000)

    @pytest.fixture
    def passing(self):
        return numbers()

    @pytest.fixture
    def failing(self):
        return replace(numbers(), size_bytes=1_001)

    @pytest.fixture
    def undefined(self):
        return replace(numbers(), size_bytes=0)

    def test_says_both(self, gate, failing):
        assert gate.judge(failing).reason == "The model has 1,001 bytes, must be at most 1,000."

    def test_a_limit_is_positive(self):
        with pytest.raises(DeclarationError, match="1 or more"):
            Size(0)
