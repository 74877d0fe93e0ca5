import math
from dataclasses import replace

import pytest

from platform_ml.gates import BeatsChampion
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evaluation import BaselineScore, Estimate
from platform_ml.spec.evidence import Evidence
from platform_ml.spec.gate import Outcome
from platform_ml.testing.declarations import lapse_evaluation, numbers
from platform_ml.testing.gates import GateContract


def lead(*values, champion="c" * 64):
    estimate = Estimate(**dict(zip(("value", "low", "high"), values, strict=False)))
    score = BaselineScore(metrics={}, lead={"roc_auc": estimate})
    return replace(numbers(evidence=Evidence(champion=champion)), baselines={"champion": score})


class TestBeatsChampion(GateContract):
    @pytest.fixture
    def gate(self):
        return BeatsChampion("roc_auc")

    @pytest.fixture
    def evaluation(self):
        return replace(lapse_evaluation, champion="lapse")

    @pytest.fixture
    def passing(self):
        return lead(0.02, 0.001, 0.04)

    @pytest.fixture
    def failing(self):
        return lead(-0.001, -0.02, 0.02)

    @pytest.fixture
    def undefined(self):
        return lead(None)

    @pytest.fixture
    def foreign(self):
        return lapse_evaluation

    def test_a_lead_that_may_be_chance_says_how_many_rows_it_would_take(self, gate):
        verdict = gate.judge(lead(0.25, -0.25, 0.75))
        assert (verdict.outcome, verdict.rows_needed) == (Outcome.NOT_ENOUGH_EVIDENCE, 3_200)

    def test_no_worse_is_enough_where_that_is_declared(self):
        gate = BeatsChampion("roc_auc", by=-0.01)
        assert gate.judge(lead(-0.001, -0.005, 0.003)).passed
        assert gate.judge(lead(-0.02, -0.03, -0.01)).outcome is Outcome.FAILED

    @pytest.mark.parametrize("champion", ["", numbers().model_digest])
    def test_the_first_model_and_the_champion_itself_pass(self, gate, champion):
        assert gate.judge(numbers(evidence=Evidence(champion=champion))).passed

    def test_a_champion_that_could_not_be_measured_is_no_evidence(self, gate):
        for result in (numbers(evidence=Evidence(champion="c" * 64)), numbers(evidence=Evidence()), numbers()):
            verdict = gate.judge(result)
            assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
            assert "not measured" in verdict.advice

    def test_near_miss(self, evaluation):
        with pytest.raises(DeclarationError, match="Did you mean 'roc_auc'"):
            BeatsChampion("roc_acu").check(evaluation)

    def test_a_lead_is_a_number(self):
        with pytest.raises(DeclarationError, match="a lead is a number"):
            BeatsChampion("roc_auc", by=math.nan)
