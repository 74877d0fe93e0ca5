import pytest

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.trigger import State
from platform_ml.testing.triggers import TriggerContract, state
from platform_ml.triggers import Every


class TestEvery(TriggerContract):
    @pytest.fixture
    def trigger(self):
        return Every(days=28)

    @pytest.fixture
    def firing(self):
        return state(new_days=28)

    @pytest.fixture
    def numbers(self):
        return ("28 of 28 days", "2024-06-03", "2024-06-10")

    def test_the_first_model_is_due_at_once(self, trigger):
        answer = trigger.judge(State(newest="2024-06-10"))
        assert (answer.fired, answer.says) == (True, "no model yet, and cutoff 2024-06-10 has all of its rows")

    def test_no_time_is_refused(self):
        with pytest.raises(DeclarationError, match="Use 1 or more"):
            Every(days=0)
