from datetime import timedelta

import pytest

from platform_ml.spec.errors import DeclarationError
from platform_ml.splitters import PurgedFolds
from platform_ml.testing.splitters import CUTOFF, FoldsContract, Row, folds_of, moments

DAY = timedelta(days=1)


class TestPurgedFolds(FoldsContract):
    @pytest.fixture(params=[{}, {"test_days": 5, "embargo_days": 3}], ids=["plain", "embargo"])
    def folds(self, request):
        return PurgedFolds(number=4, validation_days=21, **request.param)

    def test_both_sides_are_purged_and_the_later_one_is_embargoed(self, folds, gap, rows):
        for found in folds_of(folds, rows, gap):
            first, *_, last = sorted(moments(found, "validation"))
            for at in moments(found, "train"):
                older, later = first - at, at - last
                assert older >= gap * DAY or later >= (gap + folds.embargo_days) * DAY
                assert older > timedelta(0) or later > timedelta(0)

    def test_no_row_is_lost_without_need(self, folds, gap, rows):
        for found in folds_of(folds, rows, gap)[:1]:
            is_later = max(moments(found, "train")) > max(moments(found, "validation"))
            assert is_later == (3 * folds.validation_days > gap + folds.embargo_days)


def test_by_hand():
    folds = PurgedFolds(number=3, validation_days=4, embargo_days=1)
    found = folds_of(folds, [Row(1, CUTOFF - day * DAY) for day in range(24)], 2)
    roles = [{(CUTOFF - row.at).days: role for row, role in fold.items()} for fold in found]

    def expected(train, validation):
        said = {**dict.fromkeys(train, "train"), **dict.fromkeys(validation, "validation")}
        return {day: said.get(day) for day in range(24)}

    # Days 3 to 14 before the cutoff in three periods; 2 days of gap before each, 2 + 1 after it.
    assert roles == [
        expected([*range(17, 24), *range(3, 9)], range(11, 15)),
        expected([*range(13, 24), *range(3, 5)], range(7, 11)),
        expected(range(9, 24), range(3, 7)),
    ]


@pytest.mark.parametrize(("field", "value"), [("validation_days", 0), ("test_days", 0), ("embargo_days", -1)])
def test_periods_are_periods(field, value):
    with pytest.raises(DeclarationError, match=f"PurgedFolds: {field} is {value}"):
        PurgedFolds(**{"number": 3, "validation_days": 7, field: value})
