import math

import numpy as np
import pytest

from platform_ml.metrics import ExpectedCalibrationError
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.metrics import MetricContract


class TestExpectedCalibrationError(MetricContract):
    needs_both_classes = False

    @pytest.fixture
    def metric(self):
        return ExpectedCalibrationError()

    def reference(self, truth, prediction, weights):
        edges = [place / 10 for place in range(11)]
        found = 0.0
        for low, high in zip(edges, [*edges[1:-1], 2.0], strict=False):
            rows = (prediction >= low) & (prediction < high) & (weights > 0)
            if rows.any():
                apart = np.average(prediction[rows], weights=weights[rows]) - np.average(
                    truth[rows], weights=weights[rows]
                )
                found += weights[rows].sum() / weights.sum() * abs(apart)
        return found

    def test_by_hand(self):
        truth, prediction = np.array([1.0, 0.0, 1.0, 1.0]), np.array([0.2, 0.4, 0.5, 1.0])
        assert ExpectedCalibrationError(2).score(truth, prediction) == pytest.approx((0.4 + 0.5) / 4)

    def test_a_score_is_no_probability(self, metric):
        assert math.isnan(metric.score(np.array([0.0, 1.0]), np.array([0.2, 1.5])))

    def test_it_is_called_by_its_bins(self):
        found = ExpectedCalibrationError(15)
        assert found.name == "expected_calibration_error_15_bins"
        assert "15 bins of equal width" in found.definition
        with pytest.raises(DeclarationError, match="bins is 0"):
            ExpectedCalibrationError(0)
