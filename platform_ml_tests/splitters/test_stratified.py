import pytest

from platform_ml.splitters import KFolds, Stratified
from platform_ml.testing.splitters import ShareLaws


class TestStratified(ShareLaws):
    @pytest.fixture(params=[{}, {"train": 0.4, "validation": 0.3, "test": 0.3, "seed": 4}], ids=["plain", "thirds"])
    def splitter(self, request):
        return Stratified(**request.param)


def test_its_folds():
    assert Stratified(seed=3).folds(5) == KFolds(number=5, by="label", seed=3)
