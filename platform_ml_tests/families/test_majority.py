import numpy as np
import pytest

from platform_ml.families import Majority
from platform_ml.spec.errors import StoreError
from platform_ml.testing.families import FamilyContract, MulticlassFamilyContract


class TestMajority(FamilyContract):
    @pytest.fixture
    def family(self):
        return Majority()

    def test_everybody_gets_the_share_of_positives(self, fitted, train, validation):
        assert set(fitted.predict(validation.features)) == {train.label.mean()}

    @pytest.mark.parametrize("text", ["", "{}", "[]", '{"rate": "much"}'])
    def test_another_file_is_refused(self, family, tmp_path, text):
        file = tmp_path / "model.json"
        file.write_text(text)
        with pytest.raises(StoreError, match="Materialize the model again"):
            family.load(file, ())


class TestMajorityOfClasses(MulticlassFamilyContract):
    @pytest.fixture
    def family(self):
        return Majority()

    def test_everybody_gets_the_share_of_each_class(self, fitted, train, validation):
        shares = [(train.label == one).mean() for one in range(3)]
        np.testing.assert_allclose(fitted.predict(validation.features), [shares] * len(validation.label))

    def test_its_file_says_the_classes(self, family, fitted, tmp_path):
        assert family.load(fitted.save(tmp_path), ()) == fitted
        (tmp_path / "model.json").write_text('{"shares": ["much"], "classes": ["a"]}')
        with pytest.raises(StoreError, match="Materialize the model again"):
            family.load(tmp_path / "model.json", ())
