import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from platform_ml.families import PowerLaw
from platform_ml.gates import BeatsBaseline
from platform_ml.spec.errors import DeclarationError, StoreError
from platform_ml.spec.tuned_model import Baseline
from platform_ml.testing.declarations import spend_evaluation, spend_model
from platform_ml.testing.families import FEATURES, RegressionFamilyContract

RIEGEL = PowerLaw(feature="amount", across="recency", measured_at=10.0)


class TestPowerLaw(RegressionFamilyContract):
    @pytest.fixture
    def family(self):
        return RIEGEL

    def test_it_is_riegels_rule(self, fitted):
        """Riegel (1981): 40 minutes over 10 km are 3 h 4 min over a marathon."""
        rows = pa.table({"amount": [2_400.0, 2_400.0], "recency": [10.0, 42.195]})
        ten, marathon = fitted.predict(rows)
        assert ten == 2_400.0
        assert marathon == pytest.approx(2_400 * 4.2195**1.06)
        assert 3 * 3_600 + 3 * 60 < marathon < 3 * 3_600 + 5 * 60

    def test_an_even_pace_over_what_was_run_last(self, train, validation):
        pace = PowerLaw(feature="amount", across="recency", measured_at="noise", exponent=1.0)
        rows = pa.table({"amount": [1_500.0], "recency": [10.0], "noise": [5.0]})
        assert self.fit(pace, train, validation).predict(rows).tolist() == [3_000.0]
        assert pace.columns() == ("amount", "recency", "noise")

    def test_training_rows_stand_for_what_is_missing(self, train, validation):
        size = np.array([5.0, 10.0, 20.0, 0.0] * 100)
        features = pa.table({"amount": np.ones(400), "recency": size})
        rows = replace(train, features=features, label=3 * size**1.06, cache={})
        fitted = self.fit(RIEGEL, rows, validation)
        unknown = pa.table({"amount": pa.array([None, -1.0, 1.0]), "recency": pa.array([20.0, 5.0, None])})
        expected = [3 * 20**1.06, 3 * 5**1.06, rows.label.mean()]
        assert fitted.predict(unknown).tolist() == pytest.approx(expected)

    def test_the_file_of_another_declaration_is_refused(self, fitted, tmp_path):
        file = fitted.save(tmp_path)
        with pytest.raises(StoreError, match="not as declared"):
            replace(RIEGEL, exponent=1.07).load(file, FEATURES)
        file.write_text("{}")
        with pytest.raises(StoreError, match="holds no power law"):
            RIEGEL.load(file, FEATURES)


@pytest.mark.parametrize("wrong", [{"measured_at": 0.0}, {"measured_at": math.inf}, {"exponent": math.nan}])
def test_sizes_and_exponents_are_numbers(wrong):
    with pytest.raises(DeclarationError, match="PowerLaw of 'best'"):
        PowerLaw(**{"feature": "best", "across": "distance", "measured_at": 10.0} | wrong)


def test_a_model_can_be_held_to_beat_it():
    spent, recency = spend_model.dataset.view.feature_names
    riegel = Baseline(name="riegel", family=PowerLaw(feature=spent, across=recency, measured_at=10.0))
    model = replace(spend_model, baselines=(riegel,))
    BeatsBaseline("riegel", "mae", by=1.0).check(replace(spend_evaluation, model=model))
    with pytest.raises(DeclarationError, match=f"Did you mean '{spent}'"):
        replace(spend_model, baselines=(replace(riegel, family=replace(riegel.family, feature=spent[:-1])),))
