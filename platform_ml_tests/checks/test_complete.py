from typing import ClassVar

import pytest

from platform_ml.checks import Complete
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.schema import Text
from platform_ml.testing.checks import CheckContract, judged


class TestComplete(CheckContract):
    columns: ClassVar = {"brand": Text()}

    @pytest.fixture
    def check(self):
        return Complete("brand", max_share=0.25)

    @pytest.fixture
    def good(self):
        return [{"brand": ["a", "b", "c", None]}]

    @pytest.fixture
    def bad(self):
        return [{"brand": ["a", "b", None, None]}]

    def test_reason(self, check, bad):
        assert judged(check, bad).reason == "2 of 4 rows (50.00%, allowed 25.00%) have no brand."

    @pytest.mark.parametrize("share", [-0.1, 1.1])
    def test_a_share_is_a_share(self, share):
        with pytest.raises(DeclarationError, match="share from 0 to 1"):
            Complete("brand", max_share=share)
