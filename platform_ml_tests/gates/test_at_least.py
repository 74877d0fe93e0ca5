import math
from dataclasses import replace

import pytest

from platform_ml.gates import AtLeast
from platform_ml.metrics import LogLoss
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evaluation import Estimate
from platform_ml.testing.declarations import lapse_evaluation, numbers
from platform_ml.testing.gates import GateContract


class TestAtLeast(GateContract):
    @pytest.fixture
    def gate(self):
        return AtLeast(metric="roc_auc", limit=0.7)

    @pytest.fixture
    def passing(self):
        return numbers(roc_auc=Estimate(value=0.7))

    @pytest.fixture
    def failing(self):
        return numbers(roc_auc=Estimate(value=0.6999, low=0.65, high=0.75))

    @pytest.fixture
    def undefined(self):
        return numbers(roc_auc=Estimate(value=math.nan))

    @pytest.fixture
    def foreign(self):
        return replace(lapse_evaluation, metrics=(LogLoss(),))

    def test_names_and_numbers(self, gate, failing):
        verdict = gate.judge(failing)
        assert verdict.gate == "roc_auc_at_least"
        assert verdict.reason == "roc_auc is 0.6999 [0.6500, 0.7500] on 800 test rows, must be at least 0.7."

    def test_near_miss(self):
        with pytest.raises(DeclarationError, match="Did you mean 'roc_auc'"):
            AtLeast(metric="roc_acu", limit=0.7).check(lapse_evaluation)

    def test_a_loss_is_not_for_it(self):
        with pytest.raises(DeclarationError, match="Use AtMost"):
            AtLeast(metric="log_loss", limit=0.3).check(lapse_evaluation)

    @pytest.mark.parametrize("limit", [math.nan, math.inf])
    def test_a_limit_is_a_number(self, limit):
        with pytest.raises(DeclarationError, match="is no number"):
            AtLeast(metric="roc_auc", limit=limit)
