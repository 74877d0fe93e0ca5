from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from platform_ml.spec.errors import DeclarationError, Refused
from platform_ml.spec.evaluation import Estimate
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.gate import Outcome
from platform_ml.spec.registration import Approved
from platform_ml.spec.waiver import Approval, Waiver
from platform_ml.testing.declarations import lapse, numbers

DAY = date(2024, 6, 30)
WAIVER = Waiver(gate="roc_auc_at_least", author="ada", reason="Only half of June is in.", expires=DAY)
FAR = replace(WAIVER, expires=date(2999, 1, 1))
POOR = numbers(roc_auc=Estimate(value=0.6))


def waived(*waivers):
    return replace(lapse, waivers=waivers)


def by_name(registration, result, **changes):
    return {verdict.gate: verdict for verdict in registration.judge(result, **changes)}


def test_a_gate_that_is_waived_fails_and_stops_nothing():
    verdict = by_name(waived(WAIVER), POOR, on=DAY)["roc_auc_at_least"]
    assert verdict.outcome is Outcome.FAILED
    assert not verdict.passed
    assert not verdict.stops
    assert verdict.waiver == WAIVER
    assert Approved.by(waived(FAR), POOR).verdicts[0].waiver == FAR


def test_a_waiver_holds_up_to_its_last_day():
    verdict = by_name(waived(WAIVER), POOR, on=date(2024, 7, 1))["roc_auc_at_least"]
    assert verdict.stops
    assert verdict.waiver is None
    assert verdict.advice.endswith("The waiver by ada expired on 2024-06-30: remove it, or have it renewed.")
    with pytest.raises(Refused, match="waiver by ada expired on 2024-06-30"):
        Approved.by(waived(WAIVER), POOR)


def test_a_waiver_is_for_one_gate_and_only_while_it_does_not_pass():
    verdicts = by_name(waived(WAIVER), replace(POOR, baselines={}), on=DAY)
    assert verdicts["beats_recency_on_roc_auc"].stops
    assert by_name(waived(WAIVER), numbers(), on=DAY)["roc_auc_at_least"].waiver is None


def test_not_enough_evidence_may_be_waived():
    nothing = numbers(roc_auc=Estimate(value=None))
    assert not by_name(waived(WAIVER), nothing, on=DAY)["roc_auc_at_least"].stops


def test_the_gate_has_to_be_there():
    with pytest.raises(DeclarationError, match=r"no gate to waive 'roc_auc_at_lest'. Did you mean 'roc_auc_at_least'"):
        waived(replace(WAIVER, gate="roc_auc_at_lest"))
    with pytest.raises(DeclarationError, match="2 times"):
        waived(WAIVER, FAR)


def test_waivers_are_part_of_the_policy_and_none_is_what_it_was():
    policies = {fingerprint(one) for one in (lapse, waived(WAIVER), waived(FAR), waived(replace(WAIVER, reason="So.")))}
    assert len(policies) == 4
    assert fingerprint(waived()) == fingerprint(lapse)


@pytest.mark.parametrize("field", ["author", "reason"])
def test_somebody_answers_for_it(field):
    with pytest.raises(DeclarationError, match=f"{field} is empty"):
        replace(WAIVER, **{field: " "})
    with pytest.raises(DeclarationError, match=f"{field} is empty"):
        Approval(**{"author": "ada", "reason": "So.", "model": "m", "dataset": "d", "evaluation": "e"} | {field: ""})


@pytest.mark.parametrize("expires", ["2024-06-30", datetime(2024, 6, 30, tzinfo=UTC), None])
def test_it_expires_on_a_day(expires):
    with pytest.raises(DeclarationError, match="Use a date"):
        replace(WAIVER, expires=expires)


def test_an_approval_is_for_digests():
    approval = Approval(author="ada", reason="So.", model="m" * 64, dataset="x" * 64, evaluation="y" * 64)
    assert approval.differs(numbers()).startswith("dataset xxxxxxxxxxxx, not dddddddddddd, evaluation yyyy")
    with pytest.raises(DeclarationError, match="digest of the dataset is empty"):
        replace(approval, dataset="")
