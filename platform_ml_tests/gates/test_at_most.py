import math
from dataclasses import replace

import pytest

from platform_ml.gates import AtMost
from platform_ml.metrics import RocAuc
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evaluation import Estimate
from platform_ml.testing.declarations import lapse_evaluation, numbers
from platform_ml.testing.gates import GateContract


class TestAtMost(GateContract):
    @pytest.fixture
    def gate(self):
        return AtMost(metric="log_loss", limit=0.5)

    @pytest.fixture
    def passing(self):
        return numbers(log_loss=Estimate(value=0.5))

    @pytest.fixture
    def failing(self):
        return numbers(log_loss=Estimate(value=0.5001))

    @pytest.fixture
    def undefined(self):
        return numbers(log_loss=Estimate(value=math.inf))

    @pytest.fixture
    def foreign(self):
        return replace(lapse_evaluation, metrics=(RocAuc(),))

    def test_names(self, gate):
        assert gate.name == "log_loss_at_most"
        assert gate.rule == "On the test rows, log_loss is at most 0.5."

    def test_a_ranking_is_not_for_it(self):
        with pytest.raises(DeclarationError, match="Use AtLeast"):
            AtMost(metric="roc_auc", limit=0.3).check(lapse_evaluation)
