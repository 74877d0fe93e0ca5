from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from platform_ml.engine.chosen import Narrowed
from platform_ml.engine.explanation import chosen, explanations
from platform_ml.engine.explanation_rows import Explained
from platform_ml.engine.preparation import Fitted, Prepared
from platform_ml.engine.rows import SplitRows
from platform_ml.explainers import PermutationShap, TreeShap
from platform_ml.families import Linear, Voting, XGBoost
from platform_ml.metrics import MAE, NDCG, MulticlassLogLoss, RocAuc
from platform_ml.preparations import Clip
from platform_ml.spec.errors import Refused
from platform_ml.spec.explanation import Explanation, Explanations
from platform_ml.spec.task import BINARY, MULTICLASS, RANKING, REGRESSION

METRICS = {BINARY: RocAuc(), REGRESSION: MAE(), MULTICLASS: MulticlassLogLoss(), RANKING: NDCG(at=10)}
TREES = XGBoost(
    max_depth=3,
    learning_rate=0.3,
    min_child_weight=1.0,
    subsample=1.0,
    colsample_bytree=1.0,
    reg_lambda=1.0,
    reg_alpha=0.001,
    max_rounds=30,
)
FEW = Explanation(rows=120, background=12, repeats=3, features=3, worst=4)
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)


class Made:
    """A model that is a formula of its columns."""

    def __init__(self, formula):
        self.formula = formula

    def predict(self, rows):
        columns = {name: rows[name].to_numpy(zero_copy_only=False) for name in rows.column_names}
        return np.asarray(self.formula(columns), dtype=np.float64)


def rows(formula=None, task=REGRESSION, count=400, **more):
    """Rows of `a`, `b`, `c`, `noise`, with labels by a formula."""
    draw = np.random.default_rng(count)
    columns = {name: draw.normal(size=count) for name in ("a", "b", "c", "noise")}
    label = np.zeros(count) if formula is None else np.array(formula(columns), dtype=np.float64)
    fields = {
        "features": pa.table(columns),
        "label": label,
        "entity": np.arange(count),
        "event_time": pa.chunked_array([pa.array([BEGIN + timedelta(hours=row) for row in range(count)])]),
        "helpers": pa.table({}),
        "task": task,
        "called": pa.chunked_array([pa.array([f"customer {row}" for row in range(count)])]),
    }
    return SplitRows(**fields | more)


def explain(model, test, declared=FEW, slices=None, prediction=None):
    return explanations(
        Explained(
            declared=declared,
            predictor=model,
            test=test,
            train=test.features,
            prediction=model.predict(test.features) if prediction is None else prediction,
            metric=METRICS[test.task],
            slices=slices or {},
            seed="dataset",
        )
    )


def fit(family, test, task=REGRESSION):
    from dataclasses import fields

    return family.fit(test, test, params={one.name: getattr(family, one.name) for one in fields(family)}, seed=1)


def xor(columns):
    return ((columns["a"] > 0) != (columns["b"] > 0)) + 0.1 * columns["c"]


@pytest.fixture(scope="module")
def of_xor():
    test = rows(xor)
    return explain(Made(xor), test, slices={("half", "first"): np.arange(200), ("half", "few"): np.arange(20)})


def by_name(effects):
    return {effect.feature: effect for effect in effects}


def test_an_interaction_is_found(of_xor):
    first, second, *rest = of_xor.interactions
    assert {first.first, first.second} == {"a", "b"}
    assert first.share > 0.7
    assert second.strength == second.share == 0.0
    assert "Friedman" in of_xor.interactions_by
    assert len(rest) == 1  # of the three features that are shown


def test_noise_moves_nothing(of_xor):
    effects = by_name(of_xor.effects)
    assert [effect.feature for effect in of_xor.effects][-1] == "noise"
    assert effects["noise"].mean_size == effects["noise"].loss == 0
    assert effects["a"].loss > 0.2
    assert 0 < effects["a"].low <= effects["a"].loss <= effects["a"].high
    assert "noise" not in {one.feature for one in of_xor.dependence}


def test_the_rows_that_were_explained_are_told(of_xor):
    assert (of_xor.rows, of_xor.of, of_xor.background) == (120, 400, 12)
    assert of_xor.method == "permutation_shap"
    assert of_xor.unit == "the label's unit"
    assert of_xor.gap < 1e-9
    assert of_xor.metric == "Mean absolute error"


def test_a_slice_of_few_rows_has_not_enough_data(of_xor):
    first, few = of_xor.slices
    assert (first.column, first.value, first.rows) == ("half", "first", 60)
    assert {effect.feature for effect in first.effects} >= {"a", "b", "c"}
    assert few.rows < 30
    assert few.effects == ()


def test_numbers_survive_json_and_repeat(of_xor):
    from platform_ml.spec.evaluation import _plain

    plain = _plain(of_xor)
    assert Explanations.from_json(plain) == of_xor
    test = rows(xor)
    slices = {("half", "first"): np.arange(200), ("half", "few"): np.arange(20)}
    assert explain(Made(xor), test, slices=slices) == of_xor
    assert explain(Made(xor), test, replace(FEW, seed=1), slices=slices) != of_xor


def test_a_slice_says_what_moves_it_otherwise():
    test = rows(lambda columns: columns["a"])
    low = np.flatnonzero(test.features["a"].to_numpy() < 0)
    (found,) = explain(Made(lambda columns: columns["a"]), test, slices={("sign", "minus"): low}).slices
    assert found.effects[0].feature == "a"
    assert found.effects[0].mean == pytest.approx(-found.effects[0].mean_size, rel=0.5)
    assert found.effects[0].mean < -0.4


def test_of_a_sum_partial_dependence_is_a_line_and_nothing_interacts():
    found = explain(Made(lambda columns: 3 * columns["a"] - columns["b"]), rows())
    line = next(one for one in found.partial if one.feature == "a")
    values, means, shares = (np.array(some) for some in zip(*line.points, strict=True))
    np.testing.assert_allclose(np.diff(means), 3 * np.diff(values), rtol=1e-3)
    assert shares.sum() == pytest.approx(1, abs=1e-4)
    assert shares[0] < shares[len(shares) // 2]  # the grid is even, so its ends have few rows behind them
    assert {pair.strength for pair in found.interactions} == {0.0}


def test_dependence_of_a_sum_is_the_line_itself():
    found = explain(Made(lambda columns: 3 * columns["a"]), rows())
    (dots,) = found.dependence
    values, moved = (np.array(some) for some in zip(*dots.points, strict=True))
    np.testing.assert_allclose(np.diff(moved), 3 * np.diff(values), atol=1e-4)
    assert len(dots.points) == 120


def test_texts_booleans_lists_and_missing_values_have_their_places():
    draw = np.random.default_rng(1)
    test = rows()
    lists = pa.array([list(range(row % 4)) if row % 9 else None for row in range(400)], pa.list_(pa.int64()))
    features = pa.table(
        {
            "shop": pa.array(draw.choice(["north", "south", None], 400).tolist()),
            "student": pa.array((draw.random(400) < 0.5).tolist()),
            "orders": lists,
        }
    )

    def formula(columns):
        long = np.array([0 if one is None else len(one) for one in columns["orders"]])
        return 5.0 * (columns["shop"] == "south") + 2.0 * columns["student"] + long

    found = explain(Made(formula), replace(test, features=features))
    partial = {one.feature: one.points for one in found.partial}
    assert [value for value, _, _ in partial["shop"]] == ["north", "south", None]
    means = [mean for _, mean, _ in partial["shop"]]
    assert means[1] - means[0] == pytest.approx(5, abs=1e-4)
    assert means[2] == means[0]
    assert [value for value, _, _ in partial["student"]] == ["false", "true"]
    assert set(partial) == {"shop", "student"}
    dots = next(one for one in found.dependence if one.feature == "orders")
    assert {value for value, _ in dots.points} == {0.0, 1.0, 2.0, 3.0, None}
    assert {part.value for one in found.worst for part in one.moved if part.feature == "orders"} <= {
        "missing",
        *(f"a list of {size}" for size in range(4)),
    }


class Paired:
    """A model that reads two lists element by element, and refuses what no event can be."""

    def predict(self, rows):
        first, second = (rows[name].to_pylist() for name in ("first", "second"))
        assert [len(one) for one in first] == [len(one) for one in second]
        return np.array([sum(map(np.prod, zip(*pair, strict=True))) for pair in zip(first, second, strict=True)], float)


def test_lists_of_the_same_events_move_together_and_share_what_they_move():
    test, draw = rows(), np.random.default_rng(1)
    sizes = draw.integers(1, 4, 400)
    lists = {name: pa.array([draw.normal(size=size).tolist() for size in sizes]) for name in ("first", "second")}
    features = pa.table({"a": test.features["a"]} | lists)
    found = explain(Paired(), replace(test, features=features, label=Paired().predict(features)))
    effects = by_name(found.effects)
    assert effects["first"].mean_size == effects["second"].mean_size > 0
    assert effects["first"].loss == effects["second"].loss > 0
    assert effects["a"].mean_size == 0
    assert found.interactions == ()


def test_the_worst_error_is_told_with_entity_moment_and_reasons():
    test = rows(lambda columns: columns["a"])
    test.label[7] += 50
    (worst, *rest) = explain(Made(lambda columns: columns["a"]), test).worst
    assert (worst.row, worst.entity, worst.moment) == (7, "customer 7", "2024-01-01T07:00:00+00:00")
    assert worst.error == pytest.approx(50, rel=1e-4)
    assert [part.feature for part in worst.moved] == ["a"]
    assert not rest or rest[0].error < 1e-9
    hidden = explain(Made(lambda columns: columns["a"]), test, replace(FEW, entities=False, worst=1)).worst
    assert [one.entity for one in hidden] == [""]
    assert explain(Made(lambda columns: columns["a"]), test, replace(FEW, worst=0)).worst == ()


def test_of_a_binary_label_the_confident_mistake_is_worst():
    test = rows(lambda columns: columns["a"] > 0, task=BINARY)
    chance = np.where(test.label == 1, 0.8, 0.2)
    chance[11] = 1 - test.label[11]
    worst = explain(Made(lambda columns: columns["a"] > 0), test, prediction=chance).worst[0]
    assert (worst.row, worst.error, worst.truth) == (11, 1.0, "true" if test.label[11] else "false")


def test_scores_that_are_no_probabilities_are_wrong_by_their_place():
    test = rows(lambda columns: columns["a"] > 0, task=BINARY)
    score = 1000 * test.features["a"].to_numpy()
    score[3] = 9e9 if test.label[3] == 0 else -9e9
    worst = explain(Made(lambda columns: columns["a"]), test, prediction=score).worst[0]
    assert worst.row == 3
    assert 0.9 < worst.error <= 1


def test_of_classes_the_most_frequent_one_has_the_signs():
    label = np.repeat([0.0, 1.0, 2.0], [100, 250, 50])
    test = rows(task=MULTICLASS, label=label, classes=("high", "low", "middle"))

    def formula(columns):
        odds = np.stack([columns["a"] * 0, columns["a"], columns["b"]], axis=1)
        return np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)

    found = explain(Made(formula), test)
    assert found.output == "low"
    curve = next(one for one in found.partial if one.feature == "a")
    assert curve.points[0][1] < curve.points[-1][1]
    assert {one.output for one in found.worst} <= {"high", "low", "middle"}
    assert all(one.prediction == one.output for one in found.worst)
    assert found.gap < 1e-9


def test_rankings_are_explained_by_whole_groups():
    group = np.arange(400) // 10
    test = rows(lambda columns: np.clip(np.round(columns["a"] + 1), 0, 3), task=RANKING, group=group)
    test.label[::10] = 0
    score = test.features["a"].to_numpy().copy()
    lost = 10 * 5 + 4
    test.label[lost], score[lost] = 3, -99
    found = explain(Made(lambda columns: columns["a"]), test, prediction=score)
    assert (found.rows, found.unit) == (120, "score")
    assert found.worst[0].row == lost
    assert by_name(found.effects)["a"].loss > 0.1


def test_trees_are_explained_by_themselves_and_agree_with_sampling():
    test = rows(xor)
    model = fit(TREES, test)
    own = explain(model, test)
    assert own.method == "tree_shap"
    assert "SHAP interaction" in own.interactions_by
    assert {own.interactions[0].first, own.interactions[0].second} == {"a", "b"}
    drawn = explain(model, test, replace(FEW, method=PermutationShap()))
    sizes = [by_name(one.effects) for one in (own, drawn)]
    for name in ("a", "b"):
        assert sizes[0][name].mean_size == pytest.approx(sizes[1][name].mean_size, rel=0.35)


def test_a_method_that_does_not_suit_is_refused():
    with pytest.raises(Refused, match="TreeShap does not suit"):
        explain(Made(xor), rows(xor), replace(FEW, method=TreeShap()))


def test_the_family_says_which_method_fits():
    test = rows(lambda columns: columns["a"] > 0, task=BINARY)
    linear, voting = Linear(penalty=0.01), Voting(members=(Linear(penalty=0.01), Linear(penalty=0.1)))
    assert chosen(None, fit(linear, test)).name == "linear_shap"
    own = {f"{name}.{key}": value for name in ("linear", "linear_2") for key, value in vars(linear).items()}
    of_chances = voting.fit(test, test, params=own, seed=1)
    assert chosen(None, of_chances).name == "permutation_shap"  # log odds of members do not add up to those of the mean
    numbers = replace(test, task=REGRESSION, cache={})
    assert chosen(None, voting.fit(numbers, numbers, params=own, seed=1)).name == "linear_shap"


def test_prepared_and_narrowed_models_speak_of_the_features_of_the_view():
    test = rows(lambda columns: columns["a"])
    kept = ("noise", "a")
    narrow = Narrowed(kept=kept, predictor=fit(TREES, replace(test, features=test.features.select(kept), cache={})))
    steps = Fitted.of((Clip(of=("a",)),), test.features, test.helpers)
    found = explain(Prepared(fitted=steps, predictor=narrow), test)
    effects = by_name(found.effects)
    assert found.method == "tree_shap"
    assert found.gap < 1e-4
    assert set(effects) == {"a", "b", "c", "noise"}
    assert effects["b"].mean_size == effects["c"].mean_size == 0
    assert effects["a"].mean_size > 10 * effects["noise"].mean_size
    assert {found.interactions[0].first, found.interactions[0].second} == {"a", "noise"}


def test_without_test_rows_there_is_nothing_to_explain():
    assert explain(Made(xor), rows().taken(np.arange(0))) is None
