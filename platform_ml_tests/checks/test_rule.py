from typing import ClassVar

import pytest

from platform_ml.checks import Rule
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.schema import Integer
from platform_ml.testing.checks import CheckContract, judged


class TestRule(CheckContract):
    columns: ClassVar = {"paid": Integer(), "due": Integer()}

    @pytest.fixture
    def check(self):
        return Rule("paid_at_most", "paid <= due")

    @pytest.fixture
    def good(self):
        return [{"paid": [1, 2], "due": [1, 3]}]

    @pytest.fixture
    def bad(self):
        return [{"paid": [1, 2], "due": [1, 1]}]

    def test_null_is_not_true(self, check):
        assert judged(check, [{"paid": [1, None], "due": [1, 1]}]).numbers == {"rows": 1, "share": 0.5}

    @pytest.mark.parametrize("sql", ["", " ", "a = 1; DROP TABLE x"])
    def test_no_expression(self, sql):
        with pytest.raises(DeclarationError, match="is no expression"):
            Rule("paid_at_most", sql)
