from datetime import timedelta

import pytest

from platform_ml.spec.errors import DeclarationError
from platform_ml.splitters import ByTime
from platform_ml.testing.splitters import CUTOFF, SplitterContract, split_of


class TestByTime(SplitterContract):
    @pytest.fixture
    def splitter(self):
        return ByTime(validation_days=28)

    def test_by_hand(self, splitter):
        days = [0, 1, 29, 30, 31, 57, 58, 59, 87, 88, 89, 200]
        found = split_of(splitter, [(1, CUTOFF - timedelta(days=day)) for day in days], 30)
        validation = dict.fromkeys([30, 31, 57], "validation")
        # 58 days before the cutoff validation has not begun, 88 days before it training is over.
        expected = {0: "test", **validation, **dict.fromkeys([88, 89, 200], "train")}
        assert found == {(1, CUTOFF - timedelta(days=day)): expected.get(day) for day in days}

    def test_says_the_rule(self, splitter):
        assert splitter.says(30) == (
            "Test on the moment of the cutoff, validate on the 28 days that end 30 days before it, train on what lies "
            "at least 30 days before those."
        )

    @pytest.mark.parametrize("days", [0, -1])
    def test_something_is_for_validation(self, days):
        with pytest.raises(DeclarationError, match=f"ByTime: validation_days is {days}; nothing would be tuned on"):
            ByTime(validation_days=days)
