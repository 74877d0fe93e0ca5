from collections import Counter

import pytest

from platform_ml.spec.errors import DeclarationError
from platform_ml.splitters import ByEntity, ByHash, KFolds
from platform_ml.testing.splitters import CUTOFF, FoldsContract, Row, folds_of, split_of


class TestKFolds(FoldsContract):
    @pytest.fixture(params=["row", "entity", "label"])
    def folds(self, request):
        return KFolds(number=3, by=request.param, seed=2)

    def test_every_row_is_held_out_once(self, folds, rows):
        rows = [row for row in rows if row.at <= CUTOFF]
        held_out = [r for found in folds_of(folds, rows, 0) for r, role in found.items() if role == "validation"]
        assert Counter(held_out) == dict.fromkeys(rows, 1)


@pytest.mark.parametrize("by", ["row", "entity", "label"])
def test_parts_are_of_about_the_same_size_in_every_class(by):
    rows = [Row(who, CUTOFF, who % 4 == 0) for who in range(20_000)]
    for found in folds_of(KFolds(number=5, by=by), rows, 0):
        for label, expected in ((True, 1_000), (False, 3_000)):
            held_out = sum(role == "validation" for row, role in found.items() if row.label == label)
            assert abs(held_out - expected) < 4.5 * (expected * 0.8) ** 0.5


@pytest.mark.parametrize(("splitter", "by"), [(ByHash(), "row"), (ByEntity(), "entity")])
def test_a_split_does_not_decide_the_fold(splitter, by):
    rows = [Row(who, CUTOFF) for who in range(10_000)]
    train = [row for row, split in split_of(splitter, rows, 0).items() if split == "train"]
    for found in folds_of(KFolds(number=5, by=by), train, 0):
        assert sum(role == "validation" for role in found.values()) / len(train) == pytest.approx(0.2, abs=0.02)


def test_it_draws_what_there_is():
    with pytest.raises(DeclarationError, match=r"KFolds: by is 'customer'. Use 'row', 'entity' or 'label'"):
        KFolds(number=3, by="customer")
