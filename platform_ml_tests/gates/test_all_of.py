import pytest

from platform_ml.gates import AllOf
from platform_ml.spec.evaluation import Estimate
from platform_ml.spec.gate import Outcome
from platform_ml.testing.declarations import numbers
from platform_ml.testing.gate_kinds import SeveralContract


class TestAllOf(SeveralContract):
    member, enough, begins = AllOf, 2, "All of these"

    @pytest.fixture
    def passing(self):
        return numbers()

    @pytest.fixture
    def failing(self):
        return numbers(roc_auc=Estimate(value=0.6))

    @pytest.fixture
    def undefined(self):
        return numbers(roc_auc=Estimate(value=None), log_loss=Estimate(value=None))

    def test_one_that_fails_decides(self, gate):
        both = numbers(roc_auc=Estimate(value=0.6), log_loss=Estimate(value=None))
        assert gate.judge(both).outcome is Outcome.FAILED
        unclear = numbers(log_loss=Estimate(value=None))
        assert gate.judge(unclear).outcome is Outcome.NOT_ENOUGH_EVIDENCE
