import json
import math
from dataclasses import replace

import pytest

from platform_ml.metrics import LogLoss, RocAuc
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evaluation import ClassScore, Estimate, EvaluationResult, Importance, Meaning
from platform_ml.spec.evidence import Evidence, Measured, Stability
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.slicing import FOUND, Bands
from platform_ml.testing.declarations import GOOD_AUC, GOOD_SLICES, lapse_evaluation, numbers

FULL = replace(
    numbers(),
    importance=(Importance(feature="amount_sum_28d", mean_abs_shap=0.25, meaning="What they spent."),),
    curves={"roc": ((0.0, 0.0), (1.0, 1.0)), "calibration": ()},
)


def again(result):
    return EvaluationResult.from_json(json.loads(json.dumps(result.to_json(), sort_keys=True)))


LATER = replace(
    FULL,
    meanings={"roc_auc": Meaning(unit="share", definition="How well it ranks.")},
    min_rows=30,
    periods=(replace(GOOD_SLICES[0], column="week", value="2024-06-03"),),
    weak_slices=(replace(GOOD_SLICES[1], column=FOUND, value="age above 60"),),
    classes=(
        ClassScore(
            name="a", rows=3, predicted=(3,), precision=1, recall=1, f1=1, roc_auc=None, intervals={"f1": GOOD_AUC}
        ),
    ),
    evidence=Evidence(
        stability={"roc_auc": Stability(periods=3, rows=90, trend=Measured(value=0.1), spread=Measured(value=0.2))}
    ),
)


@pytest.mark.parametrize("result", [numbers(), FULL, LATER, numbers(roc_auc=Estimate(value=None), slices=())])
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
        ({"slices": ("country", "country")}, "declares slices by 'country' 2 times"),
        ({"slices": (("country", "contry"),)}, r"has no helper column 'contry'. Did you mean 'country'\?"),
        ({"slices": (("country", "country"),)}, "a pair is of two different columns"),
        ({"slices": (Bands("country"),)}, "'country' is VARCHAR, but bands are of numbers"),
        (
            {"slices": (Bands("amount_sum_28"),)},
            "no helper or feature 'amount_sum_28'. Did you mean",
        ),
        ({"min_rows": 0}, "min_rows is 0; it is 1 or more"),
        ({"periods": "weak"}, r"'weak' is no period. Did you mean 'week'\?"),
    ],
)
def test_a_wrong_evaluation_cannot_be_made(changes, message):
    with pytest.raises(DeclarationError, match=message):
        replace(lapse_evaluation, **changes)


def test_what_is_empty_of_what_was_added_later_is_not_written():
    of_before = replace(FULL, evidence=Evidence(), classes=(replace(LATER.classes[0], intervals={}),))
    plain = of_before.to_json()
    assert not {"meanings", "min_rows", "periods", "weak_slices"} & plain.keys()
    assert "stability" not in plain["evidence"]
    assert "intervals" not in plain["classes"][0]
    assert again(of_before) == of_before


def test_what_means_the_same_as_before_has_its_fingerprint():
    alike = replace(lapse_evaluation, min_rows=30, periods=None, weak_slices=None)
    assert fingerprint(alike) == fingerprint(lapse_evaluation)
    assert fingerprint(replace(lapse_evaluation, periods="week")) != fingerprint(lapse_evaluation)


def test_a_found_slice_is_called_by_its_rule():
    assert LATER.weak_slices[0].title == "age above 60"
    assert LATER.periods[0].title == "week = 2024-06-03"
