from dataclasses import replace

import pytest

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.trigger import State
from platform_ml.testing.triggers import TriggerContract, state
from platform_ml.triggers import NewLabels


class TestNewLabels(TriggerContract):
    @pytest.fixture
    def trigger(self):
        return NewLabels(rows=500)

    @pytest.fixture
    def firing(self):
        return state(new_rows=500)

    @pytest.fixture
    def numbers(self):
        return ("500 of 500 new labelled rows since cutoff 2024-06-03",)

    def test_it_says_how_far_it_is_from_firing(self, trigger):
        answer = trigger.judge(state(new_rows=312))
        assert (answer.fired, answer.says) == (False, "312 of 500 new labelled rows since cutoff 2024-06-03")

    def test_the_first_model_takes_as_many_rows(self, trigger):
        first = State(newest="2024-06-10", new_rows=1_200)
        assert trigger.judge(first).fired
        assert trigger.judge(first).says == "1,200 of 500 labelled rows, and no model yet"

    def test_rows_of_no_cutoff_do_not_count(self, trigger, firing):
        assert not trigger.judge(replace(firing, newest="")).fired

    def test_none_are_refused(self):
        with pytest.raises(DeclarationError, match="Use 1 or more"):
            NewLabels(rows=0)
