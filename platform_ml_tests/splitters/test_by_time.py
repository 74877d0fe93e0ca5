from datetime import timedelta

import pytest

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.training_dataset import TEST, TRAIN, VALIDATION
from platform_ml.splitters import ByTime
from platform_ml.testing.splitters import CUTOFF, TOMORROW, Row, TimeLaws, folds_of, moments, split_of

DAY = timedelta(days=1)


def split_by_day(splitter, days, gap):
    found = split_of(splitter, [Row(1, CUTOFF - timedelta(days=day)) for day in days], gap)
    return {(CUTOFF - row.at).days: split for row, split in found.items()}


class TestByTime(TimeLaws):
    @pytest.fixture(
        params=[{}, {"test_days": 14}, {"embargo_days": 5}, {"test_days": 3, "embargo_days": 9}],
        ids=["plain", "test days", "embargo", "both"],
    )
    def splitter(self, request):
        return ByTime(validation_days=28, **request.param)

    def test_all_of_the_test_period_is_tested_on(self, splitter, gap, rows):
        tested = [r.at for r in rows if TOMORROW - splitter.test_days * DAY <= r.at < TOMORROW]
        assert sorted(moments(split_of(splitter, rows, gap), TEST)) == sorted(tested)

    def test_the_embargo_follows_the_validation_period_alone(self, splitter, gap, rows):
        found = split_of(splitter, rows, gap)
        first, last = ({s: end(moments(found, s)) for s in (TRAIN, VALIDATION, TEST)} for end in (min, max))
        assert first[TEST] - last[VALIDATION] == (gap + splitter.embargo_days) * DAY or gap + splitter.embargo_days == 0
        assert first[VALIDATION] - last[TRAIN] <= (gap + 1) * DAY


def test_by_hand():
    found = split_by_day(ByTime(validation_days=28), [0, 1, 29, 30, 31, 57, 58, 59, 87, 88, 89, 200], 30)
    validation = dict.fromkeys([30, 31, 57], "validation")
    # 58 days before the cutoff validation has not begun, 88 days before it training is over.
    expected = {0: "test", **validation, **dict.fromkeys([88, 89, 200], "train")}
    assert found == {day: expected.get(day) for day in found}


def test_by_hand_with_test_days_and_embargo():
    splitter = ByTime(validation_days=4, test_days=3, embargo_days=5)
    found = split_by_day(splitter, range(-2, 40), 10)
    expected = {
        **dict.fromkeys(range(3), "test"),
        **dict.fromkeys(range(17, 21), "validation"),
        **dict.fromkeys(range(31, 40), "train"),
    }
    assert found == {day: expected.get(day) for day in range(-2, 40)}
    assert splitter.span_days(10) == 31


def test_any_time_of_the_cutoffs_day_is_tested_on():
    times = [CUTOFF - timedelta(microseconds=1), CUTOFF, TOMORROW - timedelta(microseconds=1), TOMORROW]
    found = split_of(ByTime(validation_days=1), [Row(1, at) for at in times], 1)
    assert list(found.values()) == [None, "test", "test", None]


def test_says_the_rule():
    assert ByTime(validation_days=28).says(30) == (
        "Test on the day of the cutoff, validate on the 28 days that end 30 days before that, train on what lies at "
        "least 30 days before those."
    )
    assert ByTime(validation_days=28, test_days=7, embargo_days=5).says(30) == (
        "Test on the 7 days that end with the cutoff's, validate on the 28 days that end 35 days (5 of them embargo) "
        "before that, train on what lies at least 30 days before those."
    )


@pytest.mark.parametrize("days", [0, -1])
def test_something_is_for_validation(days):
    with pytest.raises(DeclarationError, match=f"ByTime: validation_days is {days}; nothing would be tuned on"):
        ByTime(validation_days=days)


def test_something_is_for_testing_and_no_embargo_is_negative():
    with pytest.raises(DeclarationError, match="ByTime: test_days is 0; nothing would be judged on"):
        ByTime(validation_days=1, test_days=0)
    with pytest.raises(DeclarationError, match="ByTime: embargo_days is -1"):
        ByTime(validation_days=1, embargo_days=-1)


def test_its_last_fold_is_its_own_validation():
    splitter = ByTime(validation_days=14, test_days=2, embargo_days=3)
    rows = [Row(1, CUTOFF - timedelta(days=day)) for day in range(200)]
    folds = splitter.folds(4)
    last = folds_of(folds, rows, 7)[-1]
    split = split_of(splitter, rows, 7)
    assert {r for r, s in last.items() if s} == {r for r, s in split.items() if s in (TRAIN, VALIDATION)}
    assert all(split[r] == s for r, s in last.items() if s)
