from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from platform_ml.families import KMeans
from platform_ml.spec.errors import DeclarationError, RowsError, StoreError
from platform_ml.spec.task import CLUSTERING
from platform_ml.testing.families import FEATURES, FamilyContract, invented


class TestKMeans(FamilyContract):
    task = CLUSTERING

    @pytest.fixture
    def family(self):
        return KMeans(clusters=3, starts=3)

    @pytest.fixture
    def train(self):
        return replace(invented(1), task=CLUSTERING)

    @pytest.fixture
    def validation(self):
        return replace(invented(2, rows=200), task=CLUSTERING)

    def test_one_prediction_for_each_row(self, fitted, validation):
        distance = fitted.predict(validation.features)
        assert distance.shape == (200, 3)
        assert fitted.predict(validation.features.slice(0, 0)).shape == (0, 3)
        assert np.isfinite(distance).all()
        assert (distance >= 0).all()

    def bad_labels(self):
        """There are none that are looked at."""
        return {"no|need as many": []}

    def test_bad_labels_are_refused(self, family, train, validation):
        """Labels are not looked at, rows are."""
        other = replace(train, label=np.arange(400.0), cache={})
        first, second = (self.fit(family, rows, validation).predict(validation.features) for rows in (train, other))
        assert np.array_equal(first, second)
        few = replace(train, features=train.features.slice(0, 2), label=np.zeros(2), cache={})
        with pytest.raises(RowsError, match="3 clusters need as many training rows"):
            self.fit(family, few, validation)

    def test_it_finds_what_is_apart_and_the_largest_is_first(self, train, validation):
        draw = np.random.default_rng(0)
        kind = np.repeat([0, 1, 2], [50, 250, 100])
        values = 20.0 * kind + draw.normal(size=400)
        rows = replace(train, features=pa.table({"amount": values}), cache={})
        found = self.fit(KMeans(clusters=3, starts=3), rows, validation).predict(rows.features).argmin(axis=1)
        assert [set(found[kind == one]) for one in (1, 2, 0)] == [{0}, {1}, {2}]

    def test_the_file_of_something_else_is_refused(self, family, fitted, tmp_path):
        file = fitted.save(tmp_path)
        with pytest.raises(StoreError, match="declared"):
            family.load(file, FEATURES[:2])
        file.write_text("{}")
        with pytest.raises(StoreError, match="holds no clusters"):
            family.load(file, FEATURES)


@pytest.mark.parametrize("wrong", [{"clusters": 1}, {"starts": 0}])
def test_limits(wrong):
    with pytest.raises(DeclarationError, match="KMeans"):
        KMeans(**wrong)
