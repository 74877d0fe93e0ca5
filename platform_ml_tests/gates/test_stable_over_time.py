import math
from dataclasses import replace

import pytest

from platform_ml.gates import StableOverTime
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evidence import Evidence, Measured, Stability
from platform_ml.spec.gate import Outcome
from platform_ml.testing.declarations import lapse_evaluation, numbers
from platform_ml.testing.gates import GateContract

BY_WEEK = replace(lapse_evaluation, periods="week")
STEADY = Measured(value=0.01, low=-0.02, high=0.04)
EVEN = Measured(value=0.01, low=0.0, high=0.02)


def over_time(trend=STEADY, spread=EVEN, periods=6):
    stability = Stability(periods=periods, rows=600, trend=trend, spread=spread)
    return replace(numbers(evidence=Evidence(stability={"roc_auc": stability})), min_rows=30)


class TestStableOverTime(GateContract):
    @pytest.fixture
    def evaluation(self):
        return BY_WEEK

    @pytest.fixture
    def gate(self):
        return StableOverTime(metric="roc_auc", fall=0.05, spread=0.03)

    @pytest.fixture
    def passing(self):
        return over_time()

    @pytest.fixture
    def failing(self):
        return over_time(trend=Measured(value=-0.1, low=-0.13, high=-0.06))

    @pytest.fixture
    def undefined(self):
        return numbers()

    @pytest.fixture
    def foreign(self):
        return lapse_evaluation

    def test_a_trend_that_may_be_chance_is_not_enough(self, gate):
        verdict = gate.judge(over_time(trend=Measured(value=-0.1, low=-0.2, high=0.0)))
        assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
        assert verdict.rows_needed == 2_400
        assert "It may be chance" in verdict.advice

    def test_periods_that_differ_are_found_without_a_trend(self, gate):
        verdict = gate.judge(over_time(spread=Measured(value=0.08, low=0.05, high=0.1)))
        assert verdict.outcome is Outcome.FAILED
        assert (verdict.value, verdict.limit) == (0.08, 0.03)
        assert verdict.reason.startswith("the standard deviation of roc_auc over 6 periods of at least 30 rows is 0.08")
        assert [part.outcome for part in verdict.parts] == [Outcome.PASSED, Outcome.FAILED]

    def test_the_worse_of_the_two_decides(self, gate, failing):
        unsure = replace(failing.evidence.stability["roc_auc"], spread=Measured(value=0.08, low=0.01, high=0.1))
        both = replace(failing, evidence=Evidence(stability={"roc_auc": unsure}))
        assert gate.judge(both).outcome is Outcome.FAILED

    def test_too_few_periods_say_nothing(self, gate):
        verdict = gate.judge(over_time(periods=2))
        assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
        assert verdict.reason.startswith("roc_auc is known over 2 periods of at least 30 rows")
        assert verdict.rows == 600

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"fall": -0.1}, "fall is -0.1; it is 0 or more"),
            ({"spread": math.nan}, "spread is nan; it is 0 or more"),
            ({"min_periods": 1}, "min_periods is 1; it is 2 or more"),
        ],
    )
    def test_limits_that_nobody_can_keep(self, gate, changes, message):
        with pytest.raises(DeclarationError, match=message):
            replace(gate, **changes)

    def test_the_metric_is_measured(self, gate):
        with pytest.raises(DeclarationError, match="has no metric 'auc'"):
            replace(gate, metric="auc").check(BY_WEEK)
