from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from platform_ml.engine.portable import export, run
from platform_ml.families import Linear, Majority, PowerLaw, RelativeTo, XGBoost
from platform_ml.spec.complexity import Complexity
from platform_ml.spec.errors import DeclarationError, StoreError
from platform_ml.spec.space import ranges, settings
from platform_ml.spec.task import REGRESSION
from platform_ml.testing.families import FEATURES, RegressionFamilyContract, invented

LAW = PowerLaw(feature="amount", across="recency", measured_at=10.0)
TREES = XGBoost(
    max_depth=3,
    learning_rate=0.2,
    min_child_weight=1.0,
    subsample=1.0,
    colsample_bytree=1.0,
    reg_lambda=1.0,
    reg_alpha=0.001,
    max_rounds=40,
    early_stopping_rounds=5,
    loss="absolute",
)
SHARES = RelativeTo(rule=LAW, family=TREES)


def fitted_on(family, train, validation):
    return family.fit(train, validation, params=settings(family), seed=7)


def races(seed, scale, rows=400):
    """Times over 5 to 40 km that are Riegel's, one in ten slower; of one in five nothing is known before."""
    draw = np.random.default_rng(seed)
    best, far, tired = draw.uniform(30, 60, rows) * scale, draw.uniform(5, 40, rows), draw.random(rows) < 0.1
    features = pa.table(
        {
            "amount": pa.array(best, mask=draw.random(rows) < 0.2),
            "recency": far,
            "student": tired,
            "noise": draw.normal(size=rows),
        }
    )
    label = best * (far / 10) ** 1.06 * np.where(tired, 1.2, 1.0)
    return replace(invented(seed, rows=rows, task=REGRESSION), features=features, label=label, cache={})


class TestRelativeTo(RegressionFamilyContract):
    @pytest.fixture
    def family(self):
        return SHARES

    def fit(self, family, train, validation, seed=7):
        return family.fit(train, validation, params=settings(family), seed=seed)

    def test_it_is_the_rule_times_the_share(self, fitted, validation):
        rule, family = fitted.members
        said = rule.predict(validation.features)
        scale = np.where(said > 0, said, fitted.usual)
        np.testing.assert_allclose(fitted.predict(validation.features), scale * family.predict(validation.features))

    def test_shares_carry_over_to_sizes_that_were_never_seen(self):
        model = fitted_on(SHARES, races(1, 1.0), races(2, 1.0))
        far = races(3, 3.0)  # three times as slow as anyone before
        known = np.flatnonzero(far.features["amount"].is_valid())
        off = {
            name: np.abs(one.predict(far.features) / far.label - 1)[known].mean()
            for name, one in {"shares": model, "trees": fitted_on(TREES, races(1, 1.0), races(2, 1.0))}.items()
        }
        assert off["shares"] < 0.02
        assert off["trees"] > 0.5

    def test_where_the_rule_says_nothing_the_usual_label_stands_for_it(self):
        rule = LAW
        train, validation = races(1, 1.0), races(2, 1.0)
        model = fitted_on(replace(SHARES, rule=rule), train, validation)
        nothing = pa.table({name: pa.nulls(1, train.features.schema.field(name).type) for name in FEATURES})
        assert model.predict(nothing)[0] == pytest.approx(train.label.mean(), rel=0.5)

    def test_rows_are_prepared_once_for_all_trials(self, train, validation):
        self.fit(SHARES, train, validation)
        first = train.cache[RelativeTo.name]
        self.fit(SHARES, train, validation)
        assert train.cache[RelativeTo.name] is first
        self.fit(replace(SHARES, rule=replace(LAW, exponent=1.0)), train, validation)
        assert train.cache[RelativeTo.name] is not first

    def test_without_a_graph_of_the_rule_there_is_none(self, fitted, validation, tmp_path):
        assert export(fitted, validation.features, tmp_path).reason == "its member rule has no ONNX graph."
        assert fitted.contributions(validation.features) is None

    def test_another_file_is_refused(self, fitted, tmp_path):
        file = replace(fitted, usual=0.0).save(tmp_path)
        with pytest.raises(StoreError, match="does not say what stands for the rule"):
            SHARES.load(file, FEATURES)


def test_two_graphs_are_multiplied():
    line = Linear(penalty=0.1)
    train, validation, unseen = races(1, 1.0), races(2, 1.0), races(3, 1.0)
    model = fitted_on(RelativeTo(rule=line, family=line), train, validation)
    found = run(model.onnx(), model.inputs(unseen.features))
    np.testing.assert_allclose(found, model.predict(unseen.features), rtol=1e-4)
    lowest = train.label.mean() - train.label  # a line that is below 0 for some rows
    model = fitted_on(RelativeTo(rule=line, family=line), replace(train, label=lowest, cache={}), validation)
    assert (model.members[0].predict(unseen.features) <= 0).any()
    found = run(model.onnx(), model.inputs(unseen.features))
    np.testing.assert_allclose(found, model.predict(unseen.features), rtol=1e-3, atol=1e-3)


def test_its_ranges_are_those_of_the_family():
    searched = RelativeTo(rule=LAW, family=Linear())
    assert ranges(searched).keys() == {f"family.{name}" for name in ranges(Linear())}
    assert (searched.complexity, SHARES.complexity) == (Complexity.WEIGHTS, Complexity.TREES)
    assert searched.columns() is None
    assert RelativeTo(rule=LAW, family=replace(LAW, feature="noise")).columns() == ("amount", "recency", "noise")


@pytest.mark.parametrize("wrong", [{"rule": Majority()}, {"family": Majority()}])
def test_both_learn_numbers(wrong):
    (what,) = wrong
    with pytest.raises(DeclarationError, match=f"RelativeTo: {what} 'majority' does not learn numbers"):
        RelativeTo(**{"rule": LAW, "family": TREES} | wrong)
