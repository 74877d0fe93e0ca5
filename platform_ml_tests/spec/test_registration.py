from dataclasses import replace

import pytest

from platform_ml.spec.errors import DeclarationError, Refused
from platform_ml.spec.evaluation import Estimate
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.registration import Approved
from platform_ml.testing.declarations import lapse, lapse_evaluation, numbers, slice_of


def test_gates_that_pass_make_an_approval():
    result = numbers()
    approved = Approved.by(lapse, result)
    assert approved.registration == "lapse"
    assert approved.model_digest == result.model_digest
    assert approved.dataset_digest == result.dataset_digest
    assert approved.evaluation_digest == result.digest
    assert approved.policy_digest == fingerprint(lapse)
    assert [verdict.gate for verdict in approved.verdicts] == [gate.name for gate in lapse.gates]
    assert all(verdict.passed for verdict in approved.verdicts)


@pytest.mark.parametrize("key", [{}, {"key": None}, {"key": object()}])
def test_an_approval_cannot_be_made_by_hand(key):
    with pytest.raises(Refused, match="approved by no gate"):
        Approved(
            registration="lapse",
            model_digest="m",
            dataset_digest="d",
            evaluation_digest="e",
            policy_digest="p",
            verdicts=(),
            **key,
        )


def test_an_approval_cannot_be_turned_into_another():
    with pytest.raises(Refused):
        replace(Approved.by(lapse, numbers()), model_digest="another")


def test_a_refusal_names_every_gate_that_did_not_pass():
    result = numbers(
        roc_auc=Estimate(value=0.6),
        lead=Estimate(value=None),
        slices=(slice_of("AT", gap=Estimate(value=-0.01)),),
    )
    with pytest.raises(Refused) as refused:
        Approved.by(lapse, result)
    text = str(refused.value)
    assert "'lapse'" in text
    assert "roc_auc_at_least: roc_auc is 0.6000" in text
    assert "beats_recency_on_roc_auc: roc_auc leads recency by not defined" in text
    assert "slices_within" not in text


def test_numbers_of_another_evaluation_are_refused():
    other = replace(lapse_evaluation, resamples=500)
    with pytest.raises(Refused, match="another declaration"):
        Approved.by(lapse, replace(numbers(), policy_digest=fingerprint(other)))


def test_prose_does_not_make_another_evaluation():
    reworded = replace(lapse_evaluation, description="In other words.")
    assert Approved.by(lapse, replace(numbers(), policy_digest=fingerprint(reworded)))


def test_a_registration_without_gates_is_refused():
    with pytest.raises(DeclarationError, match="has no gates"):
        replace(lapse, gates=())


def test_a_gate_that_does_not_fit_is_refused_when_it_is_declared():
    card = replace(lapse.card, evaluation=replace(lapse_evaluation, slices=()))
    with pytest.raises(DeclarationError, match="no slices"):
        replace(lapse, card=card)
