from dataclasses import replace

import pytest

from platform_ml.families import Persistence, SingleFeature, XGBoost
from platform_ml.metrics import MAE, RocAuc
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.schema import Boolean, Decimal, Double, Integer, Text, Timestamp
from platform_ml.spec.task import BINARY, REGRESSION, task_of
from platform_ml.spec.tuned_model import Baseline
from platform_ml.testing.declarations import lapse_evaluation, lapse_model, spend_model


@pytest.mark.parametrize("kind", [Integer(), Decimal(9, 2), Double()], ids=str)
def test_numbers_are_regressed(kind):
    assert task_of("Label 'spent'", kind) is REGRESSION


def test_true_and_false_are_told_apart():
    assert task_of("Label 'lapsed'", Boolean()) is BINARY
    assert lapse_model.task is BINARY
    assert spend_model.task is REGRESSION


@pytest.mark.parametrize("kind", [Text(), Timestamp()], ids=str)
def test_nothing_learns_other_labels(kind):
    with pytest.raises(DeclarationError, match=r"Label 'x': its label is \w+, which no model here learns. Make it"):
        task_of("Label 'x'", kind)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metric": RocAuc()}, "Model 'spend_model': metric 'roc_auc' is for a binary label, but this one has a label"),
        ({"family": XGBoost(loss="log")}, "family 'xgboost' is for a binary label, but this one has a label of number"),
        (
            {"baselines": (Baseline(name="old", family=SingleFeature(feature="days_since_last_28d")),)},
            "baseline 'old' is for a binary label, but this one has a label of numbers. Use one that is made for it",
        ),
    ],
)
def test_parts_for_other_labels_are_refused(changes, message):
    with pytest.raises(DeclarationError, match=message):
        replace(spend_model, **changes)


def test_parts_for_numbers_do_not_fit_a_binary_label():
    with pytest.raises(DeclarationError, match="metric 'mae' is for a label of numbers, but this one has a binary"):
        replace(lapse_model, metric=MAE())
    old = Baseline(name="old", family=Persistence(feature="amount_sum_28d"))
    with pytest.raises(DeclarationError, match="baseline 'old' is for a label of numbers"):
        replace(lapse_model, baselines=(old,))
    with pytest.raises(DeclarationError, match="Evaluation 'lapse_evaluation': metric 'mae' is for a label of numbers"):
        replace(lapse_evaluation, metrics=(MAE(),))
