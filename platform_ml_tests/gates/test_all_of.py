from dataclasses import replace

import pytest

from platform_ml.gates import Advisory, AllOf, AtLeast, AtMost
from platform_ml.metrics import RocAuc
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evaluation import Estimate
from platform_ml.spec.gate import Outcome
from platform_ml.testing.declarations import lapse_evaluation, numbers
from platform_ml.testing.gates import GateContract

RANKS, CALIBRATES = AtLeast(metric="roc_auc", limit=0.7), AtMost(metric="log_loss", limit=0.6)


class TestAllOf(GateContract):
    @pytest.fixture
    def gate(self):
        return AllOf(name="good_enough", gates=(RANKS, CALIBRATES))

    @pytest.fixture
    def passing(self):
        return numbers()

    @pytest.fixture
    def failing(self):
        return numbers(roc_auc=Estimate(value=0.6))

    @pytest.fixture
    def undefined(self):
        return numbers(roc_auc=Estimate(value=None), log_loss=Estimate(value=None))

    @pytest.fixture
    def foreign(self):
        return replace(lapse_evaluation, metrics=(RocAuc(),))

    def test_one_that_fails_decides(self, gate):
        both = numbers(roc_auc=Estimate(value=0.6), log_loss=Estimate(value=None))
        assert gate.judge(both).outcome is Outcome.FAILED
        unclear = numbers(log_loss=Estimate(value=None))
        assert gate.judge(unclear).outcome is Outcome.NOT_ENOUGH_EVIDENCE

    def test_its_parts_are_the_verdicts_of_the_gates(self, gate, failing):
        verdict = gate.judge(failing)
        assert verdict.parts == (RANKS.judge(failing), CALIBRATES.judge(failing))
        assert verdict.limit == 2
        assert gate.rule.startswith("All of these: On the test rows, roc_auc")

    def test_advice_cannot_decide(self):
        with pytest.raises(DeclarationError, match="only advises"):
            AllOf(name="good_enough", gates=(Advisory(RANKS),))

    @pytest.mark.parametrize("gates", [(), (RANKS, RANKS)])
    def test_gates_are_there_once(self, gates):
        with pytest.raises(DeclarationError, match="good_enough"):
            AllOf(name="good_enough", gates=gates)
