import math
from dataclasses import replace

import pytest

from platform_ml.gates import IntervalsCover
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evidence import Measured
from platform_ml.spec.gate import Outcome
from platform_ml.spec.intervals import Conformal, IntervalScore
from platform_ml.testing.declarations import lapse_evaluation, numbers, spend_evaluation, spend_model
from platform_ml.testing.gates import GateContract

EVALUATION = replace(spend_evaluation, model=replace(spend_model, intervals=Conformal(coverage=0.9)))


def covered(value, half=0.01):
    measured = Measured(value=value, low=value - half, high=value + half)
    return replace(numbers(), intervals=IntervalScore(promised=0.9, rule="", widths=(), covered=measured))


class TestIntervalsCover(GateContract):
    @pytest.fixture
    def evaluation(self):
        return EVALUATION

    @pytest.fixture
    def gate(self):
        return IntervalsCover(0.88)

    @pytest.fixture
    def passing(self):
        return covered(0.89)

    @pytest.fixture
    def failing(self):
        return covered(0.8)

    @pytest.fixture
    def undefined(self):
        return covered(math.nan)

    @pytest.fixture
    def foreign(self):
        return lapse_evaluation

    def test_chance_is_no_failure_and_no_success(self, gate):
        verdict = gate.judge(covered(0.875))
        assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
        assert verdict.rows_needed > 800

    def test_numbers_without_intervals_are_not_enough(self, gate):
        assert gate.judge(numbers()).outcome is Outcome.NOT_ENOUGH_EVIDENCE

    def test_too_wide_is_wrong_where_that_is_declared(self, gate):
        both = IntervalsCover(0.88, at_most=0.93)
        outcomes = {value: both.judge(covered(value)).outcome for value in (0.8, 0.9, 0.935, 0.99)}
        assert outcomes == {
            0.8: Outcome.FAILED,
            0.9: Outcome.PASSED,
            0.935: Outcome.NOT_ENOUGH_EVIDENCE,
            0.99: Outcome.FAILED,
        }
        assert "wider than need be" in both.judge(covered(0.99)).advice
        assert gate.judge(covered(0.99)).passed

    def test_a_limit_is_one_that_was_promised(self):
        with pytest.raises(DeclarationError, match="but the intervals of model 'spend_model' promise"):
            IntervalsCover(0.95).check(EVALUATION)
        with pytest.raises(DeclarationError, match=r"at_most is 0.89, below the 0.9"):
            IntervalsCover(0.8, at_most=0.89).check(EVALUATION)

    @pytest.mark.parametrize("limits", [(0.0, None), (1.2, None), (0.9, 0.8), (0.9, 1.1), (math.nan, None)])
    def test_limits_are_shares_in_order(self, limits):
        with pytest.raises(DeclarationError, match="IntervalsCover: at_least"):
            IntervalsCover(*limits)
