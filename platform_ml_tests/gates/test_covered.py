import pytest

from platform_ml.gates import Covered
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evidence import Evidence, Measured
from platform_ml.spec.gate import Outcome
from platform_ml.testing.declarations import numbers
from platform_ml.testing.gates import GateContract


def share(value, low, high, **outside):
    return numbers(evidence=Evidence(covered=Measured(value=value, low=low, high=high), outside=outside))


class TestCovered(GateContract):
    @pytest.fixture
    def gate(self):
        return Covered(0.9)

    @pytest.fixture
    def passing(self):
        return share(0.9, 0.88, 0.92)

    @pytest.fixture
    def failing(self):
        return share(0.8, 0.77, 0.83, amount=0.15, recency=0.05)

    @pytest.fixture
    def undefined(self):
        return numbers()

    def test_names_the_features(self, gate, failing):
        verdict = gate.judge(failing)
        assert verdict.gate == "covered_by_training"
        assert "amount (15.0%), recency (5.0%)" in verdict.advice
        assert verdict.reason == (
            "share of rows within what training rows had is 0.8000 [0.7700, 0.8300] on 800 test rows, must be at "
            "least 0.9."
        )

    def test_between_the_two_it_asks_for_rows(self, gate):
        verdict = gate.judge(share(0.89, 0.87, 0.91))
        assert (verdict.outcome, verdict.rows_needed) == (Outcome.NOT_ENOUGH_EVIDENCE, 3_200)

    @pytest.mark.parametrize("limit", [0, 1.1])
    def test_a_limit_is_a_share(self, limit):
        with pytest.raises(DeclarationError, match="it is a share"):
            Covered(limit)
