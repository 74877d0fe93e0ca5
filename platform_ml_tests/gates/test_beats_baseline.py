import math
from dataclasses import replace

import pytest

from platform_ml.gates import BeatsBaseline
from platform_ml.metrics import LogLoss
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evaluation import Estimate
from platform_ml.spec.gate import Outcome
from platform_ml.testing.declarations import lapse_evaluation, numbers
from platform_ml.testing.gates import GateContract


class TestBeatsBaseline(GateContract):
    @pytest.fixture
    def gate(self):
        return BeatsBaseline(baseline="recency", metric="roc_auc", by=0.02)

    @pytest.fixture
    def passing(self):
        return numbers(lead=Estimate(value=0.02, low=0.001, high=0.04))

    @pytest.fixture
    def failing(self):
        return numbers(lead=Estimate(value=0.0199, low=0.001, high=0.04))

    @pytest.fixture
    def undefined(self):
        return numbers(lead=Estimate(value=math.nan))

    @pytest.fixture
    def foreign(self):
        return replace(lapse_evaluation, metrics=(LogLoss(),))

    def test_name(self, gate):
        assert gate.name == "beats_recency_on_roc_auc"

    def test_a_lead_that_may_be_chance_says_how_many_rows_it_would_take(self, gate):
        verdict = gate.judge(numbers(lead=Estimate(value=0.1, low=-0.1, high=0.3)))
        assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
        assert verdict.advice == "If the lead is real, about 3,200 test rows would show it."

    def test_a_lead_without_interval_is_no_evidence(self, gate):
        assert gate.judge(numbers(lead=Estimate(value=0.1))).outcome is Outcome.NOT_ENOUGH_EVIDENCE

    def test_no_lead_at_all_never_passes(self):
        gate = BeatsBaseline(baseline="recency", metric="roc_auc", by=0)
        verdict = gate.judge(numbers(lead=Estimate(value=0, low=0, high=0)))
        assert not verdict.passed
        assert "no better" in verdict.advice

    def test_a_baseline_that_was_not_measured_is_no_evidence(self, gate):
        verdict = gate.judge(replace(numbers(), baselines={}))
        assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE

    def test_near_miss(self):
        with pytest.raises(DeclarationError, match="Did you mean 'recency'"):
            BeatsBaseline(baseline="recncy", metric="roc_auc", by=0.02).check(lapse_evaluation)

    @pytest.mark.parametrize("by", [-0.01, math.nan])
    def test_a_lead_is_positive(self, by):
        with pytest.raises(DeclarationError, match="0 or more"):
            BeatsBaseline(baseline="recency", metric="roc_auc", by=by)
