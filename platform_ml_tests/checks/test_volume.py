from typing import ClassVar

import pytest

from platform_ml.checks import Volume
from platform_ml.checks.history import judged_rows
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.checks import CheckContract


def days(*counts):
    return [{"n": [1] * count} for count in counts]


WEEK = [1000, 1100, 980, 1050, 1500, 300, 120]


class TestVolume(CheckContract):
    columns: ClassVar = {}

    @pytest.fixture
    def check(self):
        return Volume(partitions=10)

    @pytest.fixture
    def good(self):
        return days(1000, 1010, 990, 1000, 1020, 1100)

    @pytest.fixture
    def bad(self):
        return days(1000, 1010, 990, 1000, 1020, 500)

    @pytest.mark.parametrize("options", [{"partitions": 0}, {"tolerance": 0}, {"tolerance": 1}])
    def test_refused(self, options):
        with pytest.raises(DeclarationError, match="Volume"):
            Volume(**options)


def history(weeks=6):
    """Weeks from Monday 2024-01-01 on, busy and quiet days."""
    counts = [round(count * (1 + 0.02 * (week % 3))) for week in range(weeks) for count in WEEK]
    return {f"2024-{1 + n // 31:02}-{1 + n % 31:02}": count for n, count in enumerate(counts)}


@pytest.mark.parametrize("weekday", range(7))
@pytest.mark.parametrize(("factor", "passed"), [(1, True), (1.1, True), (0.5, False), (2, False), (0, False)])
def test_weekends_do_not_cry_wolf_and_cut_off_days_do(weekday, factor, passed):
    key = f"2024-02-{12 + weekday}"
    assert judged_rows(key, round(WEEK[weekday] * factor), history())[0] is passed


def test_a_bad_day_in_the_history_does_not_hide_the_next_one():
    earlier = history()
    earlier["2024-02-05"] = 0
    assert not judged_rows("2024-02-12", 0, earlier)[0]
    assert judged_rows("2024-02-12", 1000, earlier)[0]


def test_few_rows_vary():
    earlier = {f"2024-01-{n + 1:02}": count for n, count in enumerate([3, 5, 4, 4, 6, 3])}
    assert judged_rows("2024-01-07", 9, earlier)[0]


def test_steady_growth_is_usual():
    earlier = {f"2024-01-{n:02}": 100 * n for n in range(1, 29)}
    assert judged_rows("2024-01-29", 2900, earlier)[0]


def test_partitions_that_are_no_days():
    assert not judged_rows("x", 50, dict.fromkeys("abcdefg", 1000))[0]
