from dataclasses import replace

import pytest

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evaluation import Estimate
from platform_ml.testing.declarations import spend_evaluation
from platform_ml.testing.triggers import THEN, TriggerContract, state
from platform_ml.triggers import Degraded

WORSE = Estimate(value=0.74, low=0.71, high=0.77)


class TestDegraded(TriggerContract):
    @pytest.fixture
    def trigger(self):
        return Degraded(metric="roc_auc")

    @pytest.fixture
    def firing(self):
        return state(now=WORSE)

    @pytest.fixture
    def numbers(self):
        return ("ROC AUC of lapse@1 was 0.8000", "is 0.7400", "400 rows", "0.06 worse, 0.03606 worse is allowed")

    @pytest.fixture
    def foreign(self):
        return spend_evaluation

    def test_by_a_declared_amount(self, firing):
        assert Degraded(metric="roc_auc", by=0.05).judge(firing).fired
        assert not Degraded(metric="roc_auc", by=0.07).judge(firing).fired

    def test_what_the_intervals_explain_is_no_loss(self, trigger):
        answer = trigger.judge(state(now=Estimate(value=0.77, low=0.73, high=0.81)))
        assert not answer.fired
        assert "0.03 worse, 0.04472 worse is allowed" in answer.says

    def test_without_an_interval_only_a_declared_amount_can_say_so(self, trigger):
        bare = state(now=Estimate(value=0.1))
        assert not trigger.judge(bare).fired
        assert Degraded(metric="roc_auc", by=0.1).judge(bare).fired

    def test_better_is_not_worse(self, trigger):
        answer = trigger.judge(state(now=Estimate(value=0.9, low=0.89, high=0.91)))
        assert not answer.fired
        assert "0.1 better" in answer.says

    def test_what_is_to_be_small_gets_worse_upwards(self, trigger, firing):
        one = replace(firing.performance["roc_auc"], goal="minimize")
        assert one.loss == pytest.approx(-0.06)
        assert not trigger.judge(replace(firing, performance={"roc_auc": one})).fired

    def test_few_rows_say_nothing(self, trigger, firing):
        answer = trigger.judge(replace(firing, known_rows=199))
        assert (answer.fired, answer.says) == (
            False,
            "199 of 200 rows known since that lapse@1 can be measured on",
        )

    def test_why_it_cannot_be_measured_is_said(self, trigger, firing):
        blind = replace(firing, performance={}, gaps={"performance": "its features are not those of today"})
        assert trigger.judge(blind).says.endswith("cannot be compared: its features are not those of today")
        undefined = replace(firing.performance["roc_auc"], now=Estimate(value=None), then=THEN)
        answer = trigger.judge(replace(firing, performance={"roc_auc": undefined}))
        assert (answer.fired, "not defined on one side" in answer.says) == (False, True)

    @pytest.mark.parametrize("wrong", [{"by": 0.0}, {"by": float("nan")}, {"rows": 0}])
    def test_what_would_always_fire_is_refused(self, wrong):
        with pytest.raises(DeclarationError, match="Use"):
            Degraded(metric="roc_auc", **wrong)
