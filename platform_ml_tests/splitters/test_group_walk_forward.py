import pytest

from platform_ml.spec.errors import DeclarationError
from platform_ml.splitters import ByEntity, GroupWalkForward, KFolds, WalkForward
from platform_ml.testing.splitters import FoldsContract, folds_of, split_of

WALK = WalkForward(number=3, validation_days=28)
GROUP = KFolds(number=3, by="entity", seed=5)
HELD_OUT = ByEntity(train=0.5, validation=0.25, test=0.25, seed=1)


class TestGroupWalkForward(FoldsContract):
    @pytest.fixture
    def folds(self):
        return GroupWalkForward(time=WALK, group=GROUP, held_out=HELD_OUT)

    def test_test_entities_are_in_no_fold(self, folds, gap, rows):
        tested = {row.who for row, split in split_of(HELD_OUT, rows, gap).items() if split == "test"}
        assert tested
        for found in folds_of(folds, rows, gap):
            assert not {row.who for row, role in found.items() if role} & tested


def test_both_have_as_many_folds_and_entities_are_drawn():
    with pytest.raises(DeclarationError, match=r"3 folds in time, 4 of entities. Make them equal"):
        GroupWalkForward(time=WALK, group=KFolds(number=4, by="entity"), held_out=HELD_OUT)
    with pytest.raises(DeclarationError, match=r"group draws by 'row'. Use by='entity'"):
        GroupWalkForward(time=WALK, group=KFolds(number=3, by="row"), held_out=HELD_OUT)
