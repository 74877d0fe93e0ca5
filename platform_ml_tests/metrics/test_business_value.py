import math

import numpy as np
import pytest

from platform_ml.metrics import BusinessValue
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.metrics import MetricContract

OFFER = BusinessValue(0.2, of_true_positive=20.0, of_false_positive=-5.0, of_false_negative=-1.0, currency="EUR")


class TestBusinessValue(MetricContract):
    needs_both_classes = False

    @pytest.fixture
    def metric(self):
        return OFFER

    def reference(self, truth, prediction, weights):
        worth = np.where(prediction >= 0.2, np.where(truth > 0, 20.0, -5.0), np.where(truth > 0, -1.0, 0.0))
        return np.average(worth, weights=weights)

    def test_by_hand(self, metric):
        truth, prediction = np.array([1.0, 0.0, 1.0, 0.0]), np.array([0.9, 0.9, 0.1, 0.1])
        assert metric.score(truth, prediction) == (20 - 5 - 1 + 0) / 4

    def test_with_right_probabilities_the_best_threshold_is_that_of_elkan(self):
        probability = (np.arange(1000) + 0.5) / 1000
        worth = [  # both outcomes of each row, as often as they are
            BusinessValue(at, of_true_positive=20.0, of_false_positive=-5.0, of_false_negative=-1.0).resample(
                np.repeat([1.0, 0.0], 1000), np.tile(probability, 2), np.append(probability, 1 - probability)[None]
            )[0]
            for at in np.arange(1, 100) / 100
        ]
        assert (1 + np.argmax(worth)) / 100 == pytest.approx(5 / 26, abs=0.01)

    def test_it_says_its_values(self, metric):
        assert (metric.name, metric.title, metric.unit) == (
            "business_value_from_0_2",
            "Business value from 0.2",
            "EUR per row",
        )
        assert "selected (prediction at least 0.2) 20 where it is true and -5 where it is false" in metric.definition
        assert BusinessValue(of_true_positive=1.0, of_false_positive=-1.0).unit == "per row"

    @pytest.mark.parametrize(
        "values",
        [
            {"of_true_positive": 0.0, "of_false_positive": -5.0},
            {"of_true_positive": 20.0, "of_false_positive": 5.0},
            {"of_true_positive": 20.0, "of_false_positive": -5.0, "of_false_negative": 30.0},
        ],
    )
    def test_being_right_is_worth_more(self, values):
        with pytest.raises(DeclarationError, match="a better model would not be better"):
            BusinessValue(**values)

    def test_a_value_is_a_number(self):
        with pytest.raises(DeclarationError, match="nan is no value"):
            BusinessValue(of_true_positive=math.nan, of_false_positive=-1.0)
