"""Verdicts, and what becomes of gates that do not answer."""

from dataclasses import dataclass, replace
from datetime import date

import pytest

from platform_ml.gates import Advisory, AllOf, AtLeast, AtMost
from platform_ml.spec.errors import Refused
from platform_ml.spec.evaluation import Estimate
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.gate import Outcome, Verdict
from platform_ml.spec.registration import Approved
from platform_ml.spec.waiver import Waiver
from platform_ml.testing.declarations import lapse, numbers


@dataclass(frozen=True)
class Broken:
    """A gate with a mistake in it."""

    answer: str = "raise"
    name: str = "broken"
    rule: str = "It does not matter."

    def check(self, evaluation):
        pass

    def judge(self, result):
        if self.answer == "raise":
            raise KeyError("roc_acu")
        if self.answer == "other":
            return Verdict(gate="roc_auc_at_least", outcome=Outcome.PASSED, reason="Of another one.")
        return self.answer


@pytest.mark.parametrize(
    ("answer", "words"),
    [("raise", "raised KeyError: 'roc_acu'"), ("other", "no verdict of its own"), (True, "no verdict of its own")],
)
def test_a_gate_that_does_not_judge_fails_closed_with_its_error(answer, words):
    broken = replace(lapse, gates=(*lapse.gates, Broken(answer)))
    verdict = broken.judge(numbers())[-1]
    assert (verdict.gate, verdict.outcome, verdict.stops) == ("broken", Outcome.FAILED, True)
    assert words in verdict.reason
    with pytest.raises(Refused, match="broken: The gate"):
        Approved.by(broken, numbers())


def test_a_gate_that_raises_inside_of_others_fails_them():
    outer = AllOf(name="outer", gates=(lapse.gates[0], Broken()))
    (verdict,) = replace(lapse, gates=(outer,)).judge(numbers())
    assert verdict.stops
    assert "KeyError" in verdict.reason


def test_a_gate_that_raises_cannot_be_waived():
    waiver = Waiver(gate="broken", author="ada", reason="It is late.", expires=date(2999, 1, 1))
    (verdict,) = replace(lapse, gates=(Broken(),), waivers=(waiver,)).judge(numbers())
    assert verdict.stops
    assert "with or without a waiver" in verdict.advice


def test_advice_that_raises_is_still_advice():
    (verdict,) = replace(lapse, gates=(Advisory(Broken()),)).judge(numbers())
    assert verdict.outcome is Outcome.FAILED
    assert not verdict.stops


def test_verdicts_are_bound_to_model_data_numbers_and_policy():
    result = numbers()
    for verdict in lapse.judge(result):
        assert verdict.bound_to.model == result.model_digest
        assert verdict.bound_to.dataset == result.dataset_digest
        assert verdict.bound_to.evaluation == result.digest
        assert verdict.bound_to.policy == fingerprint(lapse)


def test_advice_does_not_keep_a_model_from_being_approved():
    advised = replace(lapse, gates=(*lapse.gates, Advisory(AtMost(metric="log_loss", limit=0.1))))
    assert advised.judge(numbers())[-1].outcome is Outcome.FAILED
    assert Approved.by(advised, numbers())


def test_numbers_that_are_not_finite_are_not_defined():
    verdict = Verdict(
        gate="g", outcome=Outcome.PASSED, reason=".", value=float("nan"), limit=1.0, low=float("-inf"), rows=3
    )
    assert verdict.numbers == {"limit": 1.0, "rows": 3}
    assert verdict.value is None


def test_a_metric_that_is_nan_passes_no_gate():
    verdict = AtLeast(metric="roc_auc", limit=-1e9).judge(numbers(roc_auc=Estimate(value=float("nan"))))
    assert verdict.stops
