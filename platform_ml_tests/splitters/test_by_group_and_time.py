import pytest

from platform_ml.splitters import ByEntity, ByGroupAndTime, ByTime, GroupWalkForward, KFolds, WalkForward
from platform_ml.testing.splitters import EntityLaws, TimeLaws, split_of

GROUP = ByEntity(train=0.4, validation=0.3, test=0.3, seed=1)


class TestByGroupAndTime(EntityLaws, TimeLaws):
    @pytest.fixture(params=[{}, {"test_days": 14, "embargo_days": 4}], ids=["plain", "embargo"])
    def splitter(self, request):
        return ByGroupAndTime(time=ByTime(validation_days=28, **request.param), group=GROUP)

    def test_a_row_is_used_where_both_rules_agree(self, splitter, gap, rows):
        found = split_of(splitter, rows, gap)
        by_time, by_group = split_of(splitter.time, rows, gap), split_of(GROUP, rows, gap)
        assert found == {row: by_time[row] if by_time[row] == by_group[row] else None for row in rows}


def test_its_gap_is_that_of_the_rule_by_time():
    assert ByGroupAndTime(time=ByTime(validation_days=28, gap_days=9)).gap_days == 9
    assert ByGroupAndTime(time=ByTime(validation_days=28)).gap_days is None


def test_its_folds():
    splitter = ByGroupAndTime(time=ByTime(validation_days=28, test_days=2, embargo_days=3), group=GROUP)
    assert splitter.folds(3) == GroupWalkForward(
        time=WalkForward(number=3, validation_days=28, test_days=2, embargo_days=3),
        group=KFolds(number=3, by="entity", seed=1),
        held_out=GROUP,
    )
