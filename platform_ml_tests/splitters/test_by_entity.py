import pytest

from platform_ml.splitters import ByEntity, KFolds
from platform_ml.testing.splitters import EntityLaws, ShareLaws


class TestByEntity(EntityLaws, ShareLaws):
    @pytest.fixture(params=[{}, {"train": 0.4, "validation": 0.3, "test": 0.3, "seed": 4}], ids=["plain", "thirds"])
    def splitter(self, request):
        return ByEntity(**request.param)


def test_its_folds():
    assert ByEntity(seed=3).folds(5) == KFolds(number=5, by="entity", seed=3)
