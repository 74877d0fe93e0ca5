from typing import ClassVar

import pytest

from platform_ml.checks import Unique
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.schema import Integer, Text
from platform_ml.testing.checks import CheckContract, judged


class TestUnique(CheckContract):
    columns: ClassVar = {"card": Integer(), "shop": Text()}

    @pytest.fixture
    def check(self):
        return Unique(("card", "shop"))

    @pytest.fixture
    def good(self):
        return [{"card": [1, 1], "shop": ["a", "b"]}, {"card": [1, 1], "shop": ["a", "b"]}]

    @pytest.fixture
    def bad(self):
        return [{"card": [1, 1, 1], "shop": ["a", "a", "b"]}]

    def test_counts_what_repeats(self, check, bad):
        assert judged(check, bad).numbers == {"repeated": 1}

    def test_no_columns(self):
        with pytest.raises(DeclarationError, match="no column is named"):
            Unique(())
