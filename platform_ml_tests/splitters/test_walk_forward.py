from datetime import timedelta

import pytest

from platform_ml.spec.errors import DeclarationError
from platform_ml.splitters import WalkForward
from platform_ml.testing.splitters import CUTOFF, FoldsContract, Row, folds_of, moments

DAY = timedelta(days=1)


class TestWalkForward(FoldsContract):
    @pytest.fixture(params=[{}, {"test_days": 5, "embargo_days": 3}], ids=["plain", "embargo"])
    def folds(self, request):
        return WalkForward(number=4, validation_days=21, **request.param)

    def test_windows_are_what_the_columns_say(self, folds, gap, rows):
        tested = CUTOFF - (folds.test_days - 1) * DAY
        windows = folds.windows(CUTOFF.date(), gap_days=gap)
        assert len(windows) == 4
        for window, found in zip(windows, folds_of(folds, rows, gap), strict=True):
            for row, role in found.items():
                trains = row.at <= window.train_until
                judges = window.validation_after < row.at <= window.validation_until and row.at < tested
                assert role == ("train" if trains else "validation" if judges else None)

    def test_the_window_expands(self, folds, gap, rows):
        first, *_, last = ({r for r, role in f.items() if role == "train"} for f in folds_of(folds, rows, gap))
        assert first < last
        assert min(r.at for r in first) == min(r.at for r in last)


def test_by_hand():
    folds = WalkForward(number=2, validation_days=3, test_days=2, embargo_days=1)
    found = folds_of(folds, [Row(1, CUTOFF - day * DAY) for day in range(20)], 4)
    roles = [{(CUTOFF - row.at).days: role for row, role in fold.items()} for fold in found]
    # Test on days 0 and 1; 4 days of gap and 1 of embargo before that; then one period behind the other.
    later = {**dict.fromkeys((6, 7, 8), "validation"), **dict.fromkeys(range(13, 20), "train")}
    earlier = {**dict.fromkeys((9, 10, 11), "validation"), **dict.fromkeys(range(16, 20), "train")}
    assert roles == [{day: fold.get(day) for day in range(20)} for fold in (earlier, later)]
    assert max(moments(found[1], "validation")) == CUTOFF - 6 * DAY


@pytest.mark.parametrize(("field", "value"), [("validation_days", 0), ("test_days", 0), ("embargo_days", -1)])
def test_periods_are_periods(field, value):
    with pytest.raises(DeclarationError, match=f"WalkForward: {field} is {value}"):
        WalkForward(**{"number": 3, "validation_days": 7, field: value})
