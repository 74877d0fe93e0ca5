import pytest

from platform_ml.families import Average
from platform_ml.spec.errors import StoreError
from platform_ml.testing.families import RegressionFamilyContract


class TestAverage(RegressionFamilyContract):
    @pytest.fixture
    def family(self):
        return Average()

    def test_everybody_gets_the_mean(self, fitted, train, validation):
        assert set(fitted.predict(validation.features)) == {train.label.mean()}

    @pytest.mark.parametrize("text", ["", "{}", "[]", '{"value": "much"}'])
    def test_another_file_is_refused(self, family, tmp_path, text):
        file = tmp_path / "model.json"
        file.write_text(text)
        with pytest.raises(StoreError, match="Materialize the model again"):
            family.load(file, ())
