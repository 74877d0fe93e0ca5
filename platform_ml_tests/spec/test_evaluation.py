import json
import math
from dataclasses import replace

import pytest

from platform_ml.metrics import LogLoss, RocAuc
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evaluation import Estimate, EvaluationResult, Importance
from platform_ml.testing.declarations import GOOD_AUC, GOOD_SLICES, lapse_evaluation, numbers

FULL = replace(
    numbers(),
    importance=(Importance(feature="amount_sum_28d", mean_abs_shap=0.25, meaning="What they spent."),),
    curves={"roc": ((0.0, 0.0), (1.0, 1.0)), "calibration": ()},
)


def again(result):
    return EvaluationResult.from_json(json.loads(json.dumps(result.to_json(), sort_keys=True)))


@pytest.mark.parametrize("result", [numbers(), FULL, numbers(roc_auc=Estimate(value=None), slices=())])
def test_numbers_come_back_from_a_file(result):
    assert again(result) == result
    assert again(result).digest == result.digest
    assert again(again(result)).to_json() == result.to_json()


def test_the_digest_is_of_the_judged_numbers():
    slower = replace(FULL, latency_ms={"p50": 9.0})
    assert slower.digest == FULL.digest
    for changed in (
        replace(FULL, model_digest="x" * 64),
        replace(FULL, cutoff="2024-06-11"),
        replace(FULL, slices=FULL.slices[:1]),
        replace(FULL, curves={}),
        replace(FULL, size_bytes=1),
        numbers(roc_auc=replace(GOOD_AUC, low=0.7)),
    ):
        assert changed.digest != FULL.digest


@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_not_defined(broken):
    estimate = Estimate(value=broken, low=broken, high=1.0)
    assert (estimate.value, estimate.low, estimate.high) == (None, None, 1.0)
    assert again(numbers(roc_auc=estimate)) == numbers(roc_auc=estimate)


def test_an_estimate_as_text():
    assert str(GOOD_AUC) == "0.8000 [0.7500, 0.8500]"
    assert str(Estimate(value=0.5)) == "0.5000"
    assert str(Estimate(value=math.nan)) == "not defined"


def test_metrics_on_the_test_rows():
    assert FULL.test("roc_auc") == GOOD_AUC
    assert FULL.test("brier") == Estimate(value=None)
    assert GOOD_SLICES[0].title == "country = AT"
    assert lapse_evaluation.metric("log_loss") == LogLoss()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Lapse!"}, "Evaluation 'Lapse!': a name is .* Try 'lapse'"),
        ({"metrics": ()}, "Evaluation 'lapse_evaluation' has no metrics"),
        ({"metrics": (RocAuc(), RocAuc())}, "'lapse_evaluation' declares metric 'roc_auc' 2 times. Rename or drop one"),
        ({"slices": ("contry",)}, r"Feature view 'lapse_view' has no helper column 'contry'. Did you mean 'country'\?"),
        ({"slices": ("amount_sum_28d",)}, "has no helper column 'amount_sum_28d'"),
    ],
)
def test_a_wrong_evaluation_cannot_be_made(changes, message):
    with pytest.raises(DeclarationError, match=message):
        replace(lapse_evaluation, **changes)
