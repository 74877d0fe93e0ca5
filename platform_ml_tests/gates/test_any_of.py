import pytest

from platform_ml.gates import AnyOf
from platform_ml.spec.evaluation import Estimate
from platform_ml.spec.gate import Outcome
from platform_ml.testing.declarations import numbers
from platform_ml.testing.gate_kinds import SeveralContract


class TestAnyOf(SeveralContract):
    member, enough, begins = AnyOf, 1, "One of these"

    @pytest.fixture
    def passing(self):
        return numbers(roc_auc=Estimate(value=0.6))

    @pytest.fixture
    def failing(self):
        return numbers(roc_auc=Estimate(value=0.6), log_loss=Estimate(value=0.9))

    @pytest.fixture
    def undefined(self):
        return numbers(roc_auc=Estimate(value=0.6), log_loss=Estimate(value=None))

    def test_it_fails_only_where_all_do(self, gate, undefined):
        assert gate.judge(undefined).outcome is Outcome.NOT_ENOUGH_EVIDENCE
        good = numbers(roc_auc=Estimate(value=None))
        assert gate.judge(good).passed
