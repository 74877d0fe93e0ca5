import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from platform_ml.families import SingleFeature
from platform_ml.families.single_feature import KNOTS
from platform_ml.spec.errors import StoreError
from platform_ml.testing.families import FEATURES, FamilyContract, RankingFamilyContract, invented


def ranking(feature="amount", rows=400, **changes):
    return SingleFeature(feature=feature, **changes).fit(invented(1, rows), invented(2), params={}, seed=0)


class TestSingleFeature(FamilyContract):
    highest = 100.0

    @pytest.fixture
    def family(self):
        return SingleFeature(feature="recency")

    def test_another_feature_s_file_is_refused(self, family, fitted, tmp_path):
        file = fitted.save(tmp_path)
        with pytest.raises(StoreError, match="not as declared"):
            SingleFeature(feature="amount").load(file, FEATURES)
        with pytest.raises(StoreError, match="not as declared"):
            SingleFeature(feature="recency", descending=True).load(file, FEATURES)

    def test_another_file_is_refused(self, family, tmp_path):
        file = tmp_path / "model.json"
        file.write_text('{"rate": 1}')
        with pytest.raises(StoreError, match="holds no ranking"):
            family.load(file, FEATURES)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("feature", ["recency", "amount"])
def test_it_ranks_as_the_feature_does(feature, descending):
    unseen = invented(3, rows=2_000)
    prediction = ranking(feature, descending=descending).predict(unseen.features)
    raw = unseen.features[feature].cast("double").to_numpy() * (-1 if descending else 1)
    raw = np.where(np.isnan(raw), 1e9, raw)
    assert roc_auc_score(unseen.label, prediction) == roc_auc_score(unseen.label, raw)
    assert len(np.unique(prediction)) == len(np.unique(raw))


@pytest.mark.parametrize("descending", [False, True])
def test_null_is_the_likeliest(descending):
    prediction = ranking(descending=descending).predict(pa.table({"amount": [-1e6, 0.0, 1e6, None]}))
    assert prediction[3] == 100
    assert (prediction[:3] < 100).all()


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=50, unique=True))
def test_the_order_is_kept_beyond_what_was_seen(values):
    values = np.unique(np.round(values, 3))
    assert (np.diff(ranking().predict(pa.table({"amount": values}))) > 0).all()


def test_many_rows_are_remembered_by_few_values():
    fitted = ranking(rows=5_000)
    assert len(fitted.knots) <= KNOTS
    assert (np.diff(fitted.ranks) > 0).all()


def test_one_value_is_enough():
    rows = invented(1)
    one = rows.features.set_column(1, "amount", pa.array([3.0] * 400))
    fitted = SingleFeature(feature="amount").fit(
        type(rows)(features=one, label=rows.label, entity=rows.entity, event_time=rows.event_time, helpers=one),
        rows,
        params={},
        seed=0,
    )
    low, same, high = fitted.predict(pa.table({"amount": [2.0, 3.0, 4.0]}))
    assert 0 < low < same < high < 100


class TestSingleFeatureOfRankings(RankingFamilyContract):
    @pytest.fixture
    def family(self):
        return SingleFeature(feature="recency")
