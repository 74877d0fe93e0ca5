import numpy as np
import pytest

from platform_ml.engine.portable import run
from platform_ml.families import Linear, Persistence, RandomForest, Voting
from platform_ml.spec.errors import DeclarationError, NotPortable
from platform_ml.spec.space import settings
from platform_ml.spec.task import REGRESSION
from platform_ml.testing.families import (
    FamilyContract,
    MulticlassFamilyContract,
    RegressionFamilyContract,
    invented,
)
from platform_ml_tests.families.test_stacking import MEMBERS, TREES, Laws

VOTING = Voting(members=MEMBERS, weights=(3.0, 1.0))
FOREST = RandomForest(trees=5, max_depth=3, min_samples_leaf=5, max_features=0.8, max_samples=0.8)


class Votes(Laws):
    params = settings(VOTING)

    @pytest.fixture
    def family(self):
        return VOTING

    def test_it_is_the_weighted_mean(self, fitted, validation):
        first, second = (one.predict(validation.features) for one in fitted.members)
        np.testing.assert_allclose(fitted.predict(validation.features), 0.75 * first + 0.25 * second)

    def test_it_learns_as_well_as_its_members(self, fitted, train, validation):
        super().test_it_learns_as_well_as_its_members(fitted, train, validation)


class TestVoting(Votes, FamilyContract):
    def test_members_that_explain_in_other_units_are_not_added_up(self, fitted, train, validation):
        assert fitted.contributions(validation.features) is not None
        mixed = Voting(members=(TREES, FOREST))
        one = mixed.fit(train, validation, params=settings(mixed), seed=0)
        assert one.contributions(validation.features) is None


class TestVotingOfNumbers(Votes, RegressionFamilyContract):
    def test_contributions_add_up_to_the_prediction(self, fitted, validation):
        base = fitted.predict(validation.features) - fitted.contributions(validation.features).sum(axis=1)
        np.testing.assert_allclose(base, base[0], atol=1e-4)

    def test_a_member_without_a_graph_is_named(self, train, validation):
        both = Voting(members=(Linear(penalty=0.01), Persistence(feature="amount")))
        fitted = both.fit(train, validation, params=settings(both), seed=0)
        with pytest.raises(NotPortable, match="its member persistence has no ONNX graph"):
            fitted.onnx()


class TestVotingOfClasses(Votes, MulticlassFamilyContract):
    pass


def test_a_forest_and_trees_are_one_graph():
    both = Voting(members=(FOREST, TREES, Linear(penalty=0.1)))
    train, validation, unseen = (invented(seed, rows=300, task=REGRESSION) for seed in (1, 2, 3))
    fitted = both.fit(train, validation, params=settings(both), seed=0)
    found = run(fitted.onnx(), fitted.inputs(unseen.features))
    np.testing.assert_allclose(found, fitted.predict(unseen.features), atol=1e-4)


@pytest.mark.parametrize("weights", [(1.0,), (1.0, 0.0), (1.0, float("nan"))])
def test_weights_that_are_none_are_refused(weights):
    with pytest.raises(DeclarationError, match="has to be a number above 0 for each of 2 members"):
        Voting(members=MEMBERS, weights=weights)
