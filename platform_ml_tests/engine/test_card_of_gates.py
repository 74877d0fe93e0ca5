"""What a card says of verdicts: their numbers, who waived them, and nothing of other models."""

import json
from dataclasses import replace
from datetime import date

import pytest

from platform_ml.gates import Advisory, AtLeast, AtMost, SliceGap
from platform_ml.spec.errors import Refused
from platform_ml.spec.evaluation import Estimate
from platform_ml.spec.evidence import Evidence
from platform_ml.spec.waiver import Waiver
from platform_ml.testing.declarations import beside, lapse
from platform_ml_tests.engine.test_model_card import CARD, RESULT, rendered

WAIVER = Waiver(
    gate="slice_gap_roc_auc",
    author="Ada <ada@shop>",
    reason="CH is | served by hand until autumn.",
    expires=date(2999, 9, 30),
)
GATES = (
    AtLeast(metric="roc_auc", limit=0.8),
    SliceGap(metric="roc_auc", difference=0.05),
    Advisory(AtMost(metric="log_loss", limit=0.3)),
)
JUDGED = replace(
    RESULT,
    evidence=Evidence(
        compared=(
            beside("AT", 0.87, error=0.01, reference=0.8743),
            beside("CH", 0.6, error=0.01, reference=0.8743),
            beside("LI", 0.3, error=0.01, reference=0.8743, rows=9),
        )
    ),
)


def card(*waivers, result=JUDGED):
    registration = replace(lapse, card=CARD, gates=GATES, waivers=waivers)
    return rendered(result=result, verdicts=registration.judge(result), gates=GATES)


@pytest.fixture(scope="module")
def waived():
    return card(WAIVER)


def test_numbers_of_verdicts_are_numbers(waived):
    gates = {gate["name"]: gate for gate in json.loads(waived.files["card.json"])["gates"]}
    auc, gap = gates["roc_auc_at_least"], gates["slice_gap_roc_auc"]
    assert (auc["value"], auc["limit"], auc["rows"]) == (0.8743, 0.8, 2_434)
    assert auc["low"] < auc["value"] < auc["high"]
    assert (gap["value"], gap["limit"], gap["rows"]) == (pytest.approx(-0.2743), -0.05, 400)
    assert [part["outcome"] for part in gap["parts"]] == ["passed", "failed", "not enough evidence"]
    assert gap["bound_to"]["model"] == RESULT.model_digest
    assert gap["bound_to"]["evaluation"] == JUDGED.digest
    assert gap["bound_to"].keys() == {"model", "dataset", "evaluation", "policy"}


def test_a_number_of_the_evaluation_is_that_of_the_verdict_on_the_card():
    splits = JUDGED.splits | {
        "test": replace(
            JUDGED.splits["test"],
            metrics=JUDGED.splits["test"].metrics | {"roc_auc": Estimate(value=0.8123, low=0.8, high=0.83)},
        )
    }
    changed = card(WAIVER, result=replace(JUDGED, splits=splits))
    (gate,) = [gate for gate in changed.json["gates"] if gate["name"] == "roc_auc_at_least"]
    assert gate["value"] == 0.8123
    assert "roc_auc is 0.8123" in changed.html


def test_a_waiver_is_printed_in_red_with_author_reason_and_expiry(waived):
    assert waived.json["approved"]
    assert waived.json["status"] == "Approved with 1 of 3 gates waived: slice_gap_roc_auc (failed)."
    (note,) = [part.split("</div>")[0] for part in waived.html.split('<div class="note bad"')[1:]]
    for words in ("Ada &lt;ada@shop&gt;", "until 2999-09-30", "CH is | served by hand", "country = CH"):
        assert words in note
    assert ".note.bad { border-color: var(--bad)" in waived.html
    assert '<p class="waived">Waived by Ada &lt;ada@shop&gt; until 2999-09-30' in waived.html
    assert "is waived by Ada" in waived.markdown
    assert "2999-09-30**: CH is \\| served by hand until autumn." in waived.markdown
    gate = waived.json["gates"][0]
    assert gate["name"] == "slice_gap_roc_auc"
    assert (gate["passed"], gate["stops"]) == (False, False)
    assert gate["waiver"] == {"author": "Ada <ada@shop>", "reason": WAIVER.reason, "expires": "2999-09-30"}


def test_without_a_waiver_or_with_an_expired_one_the_model_is_not_approved():
    for shown in (card(), card(replace(WAIVER, expires=date(2020, 1, 1)))):
        assert not shown.json["approved"]
        assert shown.json["status"].startswith("Not approved: 1 of 3 gates did not pass: slice_gap_roc_auc (failed)")
        assert "is waived by" not in shown.markdown
    assert "The waiver by Ada &lt;ada@shop&gt; expired on 2020-01-01" in shown.html


def test_advice_is_shown_as_advice(waived):
    assert "failed, advice only" in waived.html
    passing = replace(JUDGED, evidence=Evidence(compared=JUDGED.evidence.compared[:1]))
    status = card(result=passing).json["status"]
    assert status == "Approved: no gate stopped it; 1 of 3 advise against it: log_loss_at_most (failed)."


@pytest.mark.parametrize("change", [{"model_digest": "x" * 64}, {"dataset_digest": "x" * 64}, {"size_bytes": 1}])
def test_verdicts_on_other_numbers_are_refused(change):
    verdicts = replace(lapse, card=CARD, gates=GATES).judge(replace(JUDGED, **change))
    with pytest.raises(Refused, match="Judge again"):
        rendered(result=JUDGED, verdicts=verdicts, gates=GATES)
