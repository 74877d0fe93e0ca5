from dataclasses import replace

import pytest

from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.declarations import lapse_evaluation
from platform_ml.testing.triggers import TriggerContract, state
from platform_ml.triggers import Drifted

AMOUNT, RECENCY = "amount_sum_28d", "days_since_last_28d"


class TestDrifted(TriggerContract):
    @pytest.fixture
    def trigger(self):
        return Drifted(limit=0.2)

    @pytest.fixture
    def firing(self):
        return state(drift={AMOUNT: (0.31, 0.05), RECENCY: (0.01, 0.05)})

    @pytest.fixture
    def numbers(self):
        return ("1 of 1 features drifted beyond 0.2", "2 compared", "amount_sum_28d 0.31")

    @pytest.fixture
    def foreign(self):
        return None

    def test_chance_is_no_drift(self, trigger):
        assert not trigger.judge(state(drift={AMOUNT: (0.31, 0.4)})).fired

    def test_as_many_features_as_declared(self, firing):
        two = Drifted(limit=0.2, features=2)
        assert not two.judge(firing).fired
        assert two.judge(state(drift={AMOUNT: (0.31, 0.05), RECENCY: (0.5, 0.05)})).fired

    def test_others_than_those_declared_do_not_count(self, firing):
        assert not Drifted(limit=0.2, only=(RECENCY,)).judge(firing).fired

    def test_what_could_not_be_compared_is_named(self, trigger):
        blind = replace(state(drift={}), gaps={"features": "the dataset is not here any more"})
        assert trigger.judge(blind).says == "the dataset is not here any more"

    def test_a_feature_that_the_model_does_not_have_is_refused(self):
        with pytest.raises(DeclarationError, match=r"has no feature 'amount_sum_27d'\. Did you mean 'amount_sum_28d'"):
            Drifted(only=("amount_sum_27d",)).check(lapse_evaluation)

    @pytest.mark.parametrize("wrong", [{"limit": 0.0}, {"features": 0}, {"only": (AMOUNT,), "features": 2}])
    def test_what_could_never_or_would_always_fire_is_refused(self, wrong):
        with pytest.raises(DeclarationError, match="Use"):
            Drifted(**wrong)
