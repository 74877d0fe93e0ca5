import math
from typing import ClassVar

import pytest

from platform_ml.checks import InRange
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.schema import Double, Text
from platform_ml.testing.checks import CheckContract, judged


class TestInRange(CheckContract):
    columns: ClassVar = {"amount": Double()}

    @pytest.fixture
    def check(self):
        return InRange("amount", 0, 10)

    @pytest.fixture
    def good(self):
        return [{"amount": [0.0, 10.0, None]}]

    @pytest.fixture
    def bad(self):
        return [{"amount": [0.0, 10.1]}]

    @pytest.mark.parametrize("value", [-0.1, math.nan, math.inf, -math.inf])
    def test_what_is_outside(self, check, value):
        assert not judged(check, [{"amount": [value]}]).passed

    @pytest.mark.parametrize("bounds", [(None, None), (2, 1), (math.nan, 1), (0, math.inf)])
    def test_no_range(self, bounds):
        with pytest.raises(DeclarationError, match="is no range"):
            InRange("amount", *bounds)

    def test_text_has_no_range(self, check):
        with pytest.raises(DeclarationError, match="Use Allowed"):
            check.check("Table", {"amount": Text()})
