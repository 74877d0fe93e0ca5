import math
from dataclasses import replace

import pytest

from platform_ml.gates import IntervalsCover
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.intervals import Conformal
from platform_ml.testing.declarations import lapse_model, spend, spend_model


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"coverage": 1.0}, "coverage is 1.0; it lies between 0 and 1"),
        ({"coverage": math.nan}, "coverage is nan"),
        ({"share": 0}, "share is 0; it lies"),
        ({"min_rows": 8}, "fewer than 9 rows cannot promise a coverage of 0.9. Use 9 or more"),
        ({"coverage": 0.99, "min_rows": 50}, "fewer than 99 rows"),
        ({"by": ("distance", "distance")}, "'distance' 2 times"),
    ],
)
def test_a_promise_that_nothing_can_keep_is_refused(wrong, complaint):
    with pytest.raises(DeclarationError, match=complaint):
        Conformal(**wrong)


def test_the_place_is_that_of_the_finite_sample():
    """The k-th of n errors covers k / (n + 1) of new ones: as was promised, or up to 1 / (n + 1) more."""
    for coverage in (0.5, 0.8, 0.9, 0.95):
        declared = Conformal(coverage=coverage)
        for rows in range(declared.fewest, 400):
            place = declared.place(rows)
            assert place <= rows
            assert coverage - 1e-12 <= place / (rows + 1) < coverage + 1 / (rows + 1)
        assert declared.place(declared.fewest - 1) > declared.fewest - 1


def test_it_is_for_numbers_and_by_features_with_values():
    with pytest.raises(DeclarationError, match="a prediction interval is for a label of numbers"):
        replace(lapse_model, intervals=Conformal())
    with pytest.raises(DeclarationError, match="Did you mean 'amount_sum_28d'"):
        replace(spend_model, intervals=Conformal(by=("amount_sum",)))
    with pytest.raises(DeclarationError, match="intervals by 'amount_sum_28d', which is DOUBLE"):
        replace(spend_model, intervals=Conformal(by=("amount_sum_28d",)))


def test_a_model_without_intervals_means_what_it_meant():
    assert fingerprint(replace(spend_model, intervals=None)) == fingerprint(spend_model)
    assert fingerprint(replace(spend_model, intervals=Conformal())) != fingerprint(spend_model)


def test_a_gate_on_intervals_needs_them():
    with pytest.raises(DeclarationError, match="has no intervals to judge"):
        replace(spend, gates=(*spend.gates, IntervalsCover(0.88)))
