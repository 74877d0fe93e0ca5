import pytest

from platform_ml.splitters import ByHash, KFolds
from platform_ml.testing.splitters import ShareLaws


class TestByHash(ShareLaws):
    @pytest.fixture(params=[{}, {"train": 0.4, "validation": 0.3, "test": 0.3, "seed": 4}], ids=["plain", "thirds"])
    def splitter(self, request):
        return ByHash(**request.param)


def test_its_folds():
    assert ByHash(seed=3).folds(5) == KFolds(number=5, by="row", seed=3)
