from dataclasses import replace

import pytest

from platform_ml.gates import NotOverfitted
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evaluation import Estimate
from platform_ml.spec.gate import Outcome
from platform_ml.testing.declarations import numbers, spend_evaluation
from platform_ml.testing.gates import GateContract


def scores(metric, trained, value, low=None, high=None):
    """Numbers of a model that has this score on training rows, and that on test rows."""
    result = numbers()
    train, test = (
        replace(result.splits[name], metrics=result.splits[name].metrics | {metric: score})
        for name, score in (("train", Estimate(value=trained)), ("test", Estimate(value=value, low=low, high=high)))
    )
    return replace(result, splits=dict(result.splits) | {"train": train, "test": test})


class TestNotOverfitted(GateContract):
    @pytest.fixture
    def gate(self):
        return NotOverfitted("roc_auc", 0.1)

    @pytest.fixture
    def passing(self):
        return scores("roc_auc", 0.875, 0.8125, 0.75, 0.875)

    @pytest.fixture
    def failing(self):
        return scores("roc_auc", 1.0, 0.8125, 0.75, 0.875)

    @pytest.fixture
    def undefined(self):
        return scores("roc_auc", None, 0.8)

    @pytest.fixture
    def foreign(self):
        return spend_evaluation

    def test_it_says_how_much_better_training_rows_are(self, gate, failing):
        verdict = gate.judge(failing)
        assert verdict.reason == (
            "The lead in roc_auc of the training rows over the test rows is 0.1875 [0.1250, 0.2500] on 800 test rows, "
            "must be at most 0.1."
        )
        assert (verdict.value, verdict.low, verdict.high) == (0.1875, 0.125, 0.25)
        assert "Fit it less closely" in verdict.advice

    def test_of_a_loss_training_rows_have_less(self):
        gate = NotOverfitted("log_loss", 0.1)
        verdict = gate.judge(scores("log_loss", 0.25, 0.5, 0.4375, 0.5625))
        assert (verdict.value, verdict.low, verdict.high) == (0.25, 0.1875, 0.3125)
        assert verdict.outcome is Outcome.FAILED
        assert gate.judge(scores("log_loss", 0.5, 0.25, 0.1, 0.3)).passed

    def test_what_may_be_bad_luck_on_the_test_rows_asks_for_more_of_them(self, gate):
        verdict = gate.judge(scores("roc_auc", 0.875, 0.75, 0.6875, 0.8125))
        assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
        assert verdict.rows_needed > 800

    def test_numbers_without_training_rows_do_not_pass(self, gate, passing):
        assert not gate.judge(replace(passing, splits={"test": passing.splits["test"]})).passed

    @pytest.mark.parametrize("limit", [0, -1, float("nan"), float("inf")])
    def test_a_limit_is_positive(self, limit):
        with pytest.raises(DeclarationError, match="above 0"):
            NotOverfitted("roc_auc", limit)
