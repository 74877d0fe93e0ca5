from typing import ClassVar

import numpy as np
import pytest

from platform_ml.checks import PSI
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.schema import Double, Text
from platform_ml.testing.checks import CheckContract, judged


def days(*sizes, shift=0.0, seed=1):
    """Days of the same distribution, the last one shifted."""
    draw = np.random.default_rng(seed)

    def day(n, shift):
        return {"amount": list(draw.normal(shift, 1, n))}

    return [*(day(n, 0.0) for n in sizes[:-1]), day(sizes[-1], shift)]


class TestPSI(CheckContract):
    columns: ClassVar = {"amount": Double()}

    @pytest.fixture
    def check(self):
        return PSI("amount", 0.01)

    @pytest.fixture
    def good(self):
        return days(2000, 2000, 2000)

    @pytest.fixture
    def bad(self):
        return days(2000, 2000, 2000, shift=1.0)

    def test_small_samples_do_not_cry_wolf(self, check):
        wrong = [seed for seed in range(200) if not judged(check, days(300, 300, 40, seed=seed)).passed]
        assert len(wrong) <= 2

    def test_what_chance_explains_is_still_found_in_many_rows(self, check):
        assert not judged(check, days(3000, 3000, 3000, shift=0.5)).passed

    def test_a_declared_limit_allows_more(self, bad):
        assert judged(PSI("amount", 100.0), bad).passed

    def test_too_few_values_say_nothing(self, check):
        assert "too few" in judged(check, days(5, 5, shift=1.0)).reason
        assert judged(check, days(100)).passed

    def test_another_kind(self, check):
        with pytest.raises(DeclarationError, match="is for"):
            check.check("Table", {"amount": Text()})

    @pytest.mark.parametrize(("limit", "partitions"), [(0, 1), (float("nan"), 1), (1, 0)])
    def test_refused(self, limit, partitions):
        with pytest.raises(DeclarationError, match="Use"):
            PSI("amount", limit, partitions=partitions)
