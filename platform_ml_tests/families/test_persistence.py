import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from platform_ml.families import Persistence
from platform_ml.spec.errors import DeclarationError, StoreError
from platform_ml.testing.families import FEATURES, RegressionFamilyContract


class TestPersistence(RegressionFamilyContract):
    @pytest.fixture
    def family(self):
        return Persistence(feature="amount")

    def test_the_feature_is_the_prediction(self, fitted):
        rows = pa.table({"amount": [3.5, -1.0, None]})
        assert fitted.predict(rows).tolist() == [3.5, -1.0, 0.0]

    def test_what_is_missing_is_declared(self, train, validation):
        fitted = self.fit(Persistence(feature="amount", missing=7.0), train, validation)
        assert fitted.predict(pa.table({"amount": pa.nulls(2, pa.float64())})).tolist() == [7.0, 7.0]

    def test_the_mean_label_can_stand_for_it(self, train, validation, tmp_path):
        family = Persistence(feature="amount", missing="mean")
        fitted = self.fit(family, train, validation)
        rows = pa.table({"amount": pa.array([3.5, None])})
        assert fitted.predict(rows).tolist() == [3.5, train.label.mean()]
        assert family.load(fitted.save(tmp_path), FEATURES) == fitted

    def test_labels_are_not_used(self, family, train, validation):
        other = replace(train, label=train.label[::-1], cache={})
        first, second = (self.fit(family, rows, validation).predict(validation.features) for rows in (train, other))
        assert np.array_equal(first, second)

    @pytest.mark.parametrize("changes", [{"feature": "recency"}, {"feature": "amount", "missing": 1.0}])
    def test_the_file_of_another_declaration_is_refused(self, fitted, tmp_path, changes):
        file = fitted.save(tmp_path)
        with pytest.raises(StoreError, match="not as declared"):
            Persistence(**changes).load(file, FEATURES)

    def test_another_file_is_refused(self, family, tmp_path):
        file = tmp_path / "model.json"
        file.write_text('{"rate": 1}')
        with pytest.raises(StoreError, match="names no feature"):
            family.load(file, FEATURES)


@pytest.mark.parametrize("missing", [math.nan, "median"])
def test_what_is_missing_is_a_number_or_the_mean(missing):
    with pytest.raises(DeclarationError, match=f"Persistence of 'amount': missing is {missing}"):
        Persistence(feature="amount", missing=missing)
