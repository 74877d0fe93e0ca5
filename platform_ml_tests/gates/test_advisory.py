from dataclasses import replace

import pytest

from platform_ml.gates import Advisory, AtLeast
from platform_ml.metrics import LogLoss
from platform_ml.spec.evaluation import Estimate
from platform_ml.testing.declarations import lapse_evaluation, numbers
from platform_ml.testing.gates import GateContract

INSIDE = AtLeast(metric="roc_auc", limit=0.7)


class TestAdvisory(GateContract):
    @pytest.fixture
    def gate(self):
        return Advisory(INSIDE)

    @pytest.fixture
    def passing(self):
        return numbers()

    @pytest.fixture
    def failing(self):
        return numbers(roc_auc=Estimate(value=0.6))

    @pytest.fixture
    def undefined(self):
        return numbers(roc_auc=Estimate(value=None))

    @pytest.fixture
    def foreign(self):
        return replace(lapse_evaluation, metrics=(LogLoss(),))

    def test_says_what_the_gate_inside_says_and_stops_nothing(self, gate, failing):
        assert gate.judge(failing) == replace(INSIDE.judge(failing), advisory=True)
        assert not gate.judge(failing).stops
        assert gate.name == INSIDE.name
        assert gate.rule == "Advice only: On the test rows, roc_auc is at least 0.7."
