import pytest

from platform_ml.gates import Calibrated
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evidence import Evidence, Measured
from platform_ml.spec.gate import Outcome
from platform_ml.testing.declarations import numbers, spend_evaluation
from platform_ml.testing.gates import GateContract


def error(*values):
    return numbers(evidence=Evidence(calibration=Measured(**dict(zip(("value", "low", "high"), values, strict=False)))))


class TestCalibrated(GateContract):
    @pytest.fixture
    def gate(self):
        return Calibrated(0.05)

    @pytest.fixture
    def passing(self):
        return error(0.05, 0.03, 0.07)

    @pytest.fixture
    def failing(self):
        return error(0.08, 0.051, 0.1)

    @pytest.fixture
    def undefined(self):
        return numbers()

    @pytest.fixture
    def foreign(self):
        return spend_evaluation

    def test_what_may_be_chance_says_how_many_rows_it_would_take(self, gate):
        verdict = gate.judge(error(0.0625, 0.0375, 0.0875))
        assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
        assert verdict.rows_needed == 3_200
        assert "about 3,200 test rows would show it" in verdict.advice

    def test_an_error_without_interval_is_no_evidence(self, gate):
        assert gate.judge(error(0.06)).outcome is Outcome.NOT_ENOUGH_EVIDENCE

    @pytest.mark.parametrize("limit", [0, 1, float("nan")])
    def test_a_limit_is_a_probability(self, limit):
        with pytest.raises(DeclarationError, match="above 0 and below 1"):
            Calibrated(limit)
