from typing import ClassVar

import pytest

from platform_ml.checks import Allowed
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.schema import Text
from platform_ml.testing.checks import CheckContract


class TestAllowed(CheckContract):
    columns: ClassVar = {"brand": Text()}

    @pytest.fixture
    def check(self):
        return Allowed("brand", ("own", "it's"))

    @pytest.fixture
    def good(self):
        return [{"brand": ["own", "it's", None]}]

    @pytest.fixture
    def bad(self):
        return [{"brand": ["own", "Own"]}]

    def test_nothing_is_allowed(self):
        with pytest.raises(DeclarationError, match="no value is allowed"):
            Allowed("brand", ())
