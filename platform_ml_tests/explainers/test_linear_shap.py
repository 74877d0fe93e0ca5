import numpy as np
import pytest

from platform_ml.explainers import LinearShap
from platform_ml.families import Linear
from platform_ml.spec.task import REGRESSION
from platform_ml.testing.explainers import ExplainerContract


class TestLinearShap(ExplainerContract):
    @pytest.fixture
    def explainer(self):
        return LinearShap()

    @pytest.fixture
    def family(self):
        return Linear(penalty=0.001)

    def test_is_the_slope_times_the_distance_from_the_mean_training_row(self, explainer, family):
        rows, train = (self.rows(seed, REGRESSION, count).features for seed, count in ((3, 40), (1, 200)))
        at = rows.column_names.index("amount")
        amount, known = (some["amount"].to_numpy(zero_copy_only=False) for some in (rows, train))
        there = ~np.isnan(amount)
        moved = self.explained(explainer, family, REGRESSION).values[there, at, 0]
        slope, level = np.polyfit(amount[there], moved, 1)
        np.testing.assert_allclose(moved, level + slope * amount[there], atol=1e-5)
        filled = np.where(np.isnan(known), np.nanmedian(known), known)
        assert slope > 0.3
        # The column that marks nulls is part of the feature: it only shifts where nothing is moved.
        assert -level / slope == pytest.approx(filled.mean(), abs=0.1)
