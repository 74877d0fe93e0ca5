import pytest

from platform_ml.families import Majority
from platform_ml.spec.errors import StoreError
from platform_ml.testing.families import FamilyContract


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
