import numpy as np
import pytest

from platform_ml.engine.portable import run
from platform_ml.families import Linear, Majority, Persistence, RandomForest, SingleFeature, Stacking, XGBoost
from platform_ml.families.stacking import _folds
from platform_ml.spec.errors import DeclarationError, NotPortable, RowsError, StoreError
from platform_ml.spec.space import ranges, settings
from platform_ml.spec.task import BINARY, MULTICLASS, REGRESSION
from platform_ml.testing.families import (
    FEATURES,
    FamilyContract,
    MulticlassFamilyContract,
    RegressionFamilyContract,
    invented,
)
from platform_ml.testing.learners import quality, with_shop

TREES = XGBoost(
    max_depth=3,
    learning_rate=0.3,
    min_child_weight=1.0,
    subsample=0.9,
    colsample_bytree=0.9,
    reg_lambda=1.0,
    reg_alpha=0.1,
    max_rounds=12,
    early_stopping_rounds=4,
)
MEMBERS = (TREES, Linear(penalty=0.001))
STACKING = Stacking(members=MEMBERS, final=Linear(penalty=0.001), folds=2)


class Laws:
    """What is asked of a stack whatever its label is."""

    params = settings(STACKING)

    @pytest.fixture
    def family(self):
        return STACKING

    def test_it_learns_as_well_as_its_members(self, fitted, train, validation):
        unseen = invented(3, rows=1_000, task=self.task)
        together, *alone = (
            quality(unseen, one.predict(unseen.features))
            for one in (fitted, *(m.fit(train, validation, params=settings(m), seed=7) for m in MEMBERS))
        )
        assert together > max(alone) - 0.02

    def test_its_graph_predicts_the_same(self, fitted):
        rows = invented(4, rows=1_000, task=self.task).features
        expected = fitted.predict(rows)
        found = run(fitted.onnx(), fitted.inputs(rows))
        np.testing.assert_allclose(found, expected, atol=1e-5 * max(1.0, np.abs(expected).max()))
        assert fitted.onnx() == fitted.onnx()

    @pytest.mark.parametrize("content", [b"no model", b"", b"{}"])
    def test_another_file_is_refused(self, family, fitted, tmp_path, content):
        file = fitted.save(tmp_path)
        file.write_bytes(content)
        with pytest.raises(StoreError, match="Materialize the model again"):
            family.load(file, FEATURES)


class TestStacking(Laws, FamilyContract):
    def test_half_a_file_is_refused(self, family, fitted, tmp_path):
        file = fitted.save(tmp_path)
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        with pytest.raises(StoreError, match="Materialize the model again"):
            family.load(file, FEATURES)

    def test_a_file_of_other_members_is_refused(self, fitted, tmp_path):
        other = Stacking(members=(Linear(penalty=0.1), Linear(penalty=1.0)), final=Linear(penalty=0.1))
        with pytest.raises(StoreError, match="does not hold the members"):
            other.load(fitted.save(tmp_path), FEATURES)

    def test_rows_of_one_entity_are_in_one_fold(self, train):
        train.entity[:] = np.arange(400) // 3
        found = _folds(train, 4, seed=0)
        assert sorted(np.concatenate([places for places, _ in found])) == list(range(400))
        for places, others in found:
            assert not set(train.entity[places]) & set(others.entity)
            assert len(places) + len(others.label) == 400
        assert _folds(train, 4, seed=0) is found

    def test_the_final_model_learns_from_rows_that_members_never_saw(self, train, validation):
        """A member that knows its training rows by heart is worth nothing there, and the final model finds out."""
        by_heart = RandomForest(trees=10, max_depth=30, min_samples_leaf=1, max_features=1.0, max_samples=1.0)
        stack = Stacking(members=(by_heart, Linear(penalty=0.001)), final=Linear(penalty=0.001), folds=4)
        fitted = stack.fit(train, validation, params=settings(stack), seed=1)
        heart, linear = fitted.final.weights
        assert linear > 2 * abs(heart)

    def test_with_a_category_it_says_why_there_is_no_graph(self, train, validation):
        fitted = STACKING.fit(with_shop(train), with_shop(validation), params=settings(STACKING), seed=1)
        with pytest.raises(NotPortable, match="XGBoost with categories"):
            fitted.onnx()
        rows = with_shop(invented(3, rows=50)).features
        new = rows.set_column(4, "shop", [["Mars"] * 50])
        assert fitted.unseen(new) == {"shop": 50}


class TestStackingOfNumbers(Laws, RegressionFamilyContract):
    pass


class TestStackingOfClasses(Laws, MulticlassFamilyContract):
    pass


def test_ranges_of_members_are_searched_under_their_names():
    stack = Stacking(members=(XGBoost(), Linear(), XGBoost(max_depth=3)), final=Linear(), folds=3)
    found = ranges(stack)
    assert {"xgboost.max_depth", "linear.penalty", "xgboost_2.learning_rate", "final.penalty"} <= found.keys()
    assert "xgboost_2.max_depth" not in found
    assert settings(stack)["xgboost_2.max_depth"] == settings(stack)["folds"] == 3
    assert not ranges(STACKING)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"members": ()}, "Stacking has no members"),
        ({"members": (TREES,)}, "Stacking has 1 members. Use two or more"),
        ({"members": MEMBERS, "folds": 1}, "folds=1 leaves nothing to learn from"),
        ({"members": (Majority(), Persistence(feature="amount"))}, "no label that all of its members learn"),
    ],
)
def test_what_is_no_stack_is_refused(arguments, complaint):
    with pytest.raises(DeclarationError, match=complaint):
        Stacking(**arguments)


def test_it_learns_what_all_of_its_members_learn():
    assert set(STACKING.tasks) == {BINARY, REGRESSION, MULTICLASS}
    assert Stacking(members=(TREES, SingleFeature(feature="amount")), final=Linear()).tasks == (BINARY,)


def test_too_few_entities_are_refused():
    train = invented(1)
    train.entity[:] = 0
    with pytest.raises(RowsError, match="has 1 entities, too few for 2 folds"):
        STACKING.fit(train, invented(2), params=settings(STACKING), seed=0)
