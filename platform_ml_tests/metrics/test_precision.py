import math

import numpy as np
import pytest
from sklearn.metrics import precision_score

from platform_ml.metrics import Precision
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.metrics import MetricContract


class TestPrecision(MetricContract):
    needs_both_classes = False

    @pytest.fixture
    def metric(self):
        return Precision()

    def reference(self, truth, prediction, weights):
        return precision_score(truth, prediction >= 0.5, sample_weight=weights)

    def test_nothing_selected_is_undefined(self):
        assert math.isnan(Precision(0.9).score(np.array([0.0, 1.0]), np.array([0.2, 0.8])))

    def test_it_is_called_by_a_threshold_that_is_not_the_usual_one(self):
        assert (Precision().name, Precision().title) == ("precision", "Precision")
        assert (Precision(0.25).name, Precision(0.25).title) == ("precision_from_0_25", "Precision from 0.25")
        assert Precision(-0.5).name == "precision_from_minus_0_5"
        assert Precision(0.25).definition == "Share of rows selected (prediction at least 0.25) that are true."

    def test_a_threshold_is_a_number(self):
        with pytest.raises(DeclarationError, match="threshold nan is no number"):
            Precision(math.nan)
