import hashlib
from dataclasses import fields, replace

import numpy as np
import pyarrow as pa
import pytest
import shap
import xgboost as xgb
from sklearn.metrics import roc_auc_score

from platform_ml.families import XGBoost, boosted_trees, encoding
from platform_ml.families.inputs import matrix
from platform_ml.metrics import NDCG
from platform_ml.spec.errors import DeclarationError, RowsError, StoreError
from platform_ml.spec.space import Between, Whole, ranges
from platform_ml.spec.task import BINARY, MULTICLASS, RANKING, REGRESSION
from platform_ml.testing.families import FEATURES, invented
from platform_ml.testing.learners import (
    BinaryLearnerContract,
    MulticlassLearnerContract,
    NumberLearnerContract,
    RankingLearnerContract,
)

PARAMS = {
    "max_depth": 4,
    "learning_rate": 0.2,
    "min_child_weight": 2.0,
    "subsample": 0.8,
    "colsample_bytree": 0.8,
    "reg_lambda": 1.0,
    "reg_alpha": 0.1,
    "max_bin": 64,
    "max_rounds": 60,
    "early_stopping_rounds": 10,
    "loss": None,
}


def with_city(rows):
    city = np.where(rows.label == 1, "here", "there").astype(object)
    city[::3], city[1::7] = "anywhere", None
    return replace(rows, features=rows.features.append_column("city", pa.array(city)), cache={})


def fit(train, validation, report=None, seed=7, **changes):
    return XGBoost().fit(train, validation, params=PARAMS | changes, seed=seed, report=report)


class TestXGBoost(BinaryLearnerContract):
    module = boosted_trees
    params = PARAMS

    @pytest.fixture
    def family(self):
        return XGBoost()

    def test_every_field_is_a_hyper_parameter(self, family):
        assert set(ranges(family)) < set(PARAMS) == {item.name for item in fields(family)}

    def test_it_learns(self, fitted):
        unseen = invented(3, rows=2_000)
        assert roc_auc_score(unseen.label, fitted.predict(unseen.features)) > 0.75

    def test_threads_change_nothing(self, train, validation, tmp_path, monkeypatch):
        files = []
        for threads in (1, 2):
            monkeypatch.setenv("PLATFORM_ML_THREADS", str(threads))
            folder = tmp_path / str(threads)
            folder.mkdir()
            fitted = fit(replace(train, cache={}), replace(validation, cache={}))
            files.append(hashlib.sha256(fitted.save(folder).read_bytes()).hexdigest())
        assert files[0] == files[1]

    def test_another_seed_is_another_model(self, train, validation):
        first, second = (fit(train, validation, seed=seed).predict(validation.features) for seed in (1, 2))
        assert (first != second).any()

    def test_every_round_is_reported_and_the_best_one_kept(self, train, validation):
        told = []
        fitted = fit(train, validation, report=lambda step, score: told.append((step, score)))
        steps, scores = zip(*told, strict=True)
        best = int(np.argmax(scores))
        assert steps == tuple(range(best + PARAMS["early_stopping_rounds"] + 1))
        assert fitted.booster.num_boosted_rounds() == best + 1
        prediction = fitted.predict(validation.features)
        assert roc_auc_score(validation.label, prediction) == pytest.approx(max(scores), abs=1e-6)

    def test_a_report_can_stop_it(self, train, validation):
        class EnoughError(Exception):
            pass

        def report(step, score):
            if step == 3:
                raise EnoughError

        with pytest.raises(EnoughError):
            fit(train, validation, report=report)

    def test_the_matrix_is_built_once(self, train, validation):
        fit(train, validation)
        before = dict(train.cache), dict(validation.cache)
        fit(train, validation, max_depth=2)
        assert (train.cache, validation.cache) == before
        fit(train, validation, max_bin=32)
        assert (len(train.cache), len(validation.cache)) == (2, 1)

    @pytest.mark.parametrize("weighed", [False, True])
    def test_batches_are_as_good_as_one_piece(self, weighed, monkeypatch):
        rows = [invented(seed, rows=count) for seed, count in ((1, 3_000), (2, 500))]
        if weighed:
            rows[0] = replace(rows[0], weight=np.where(rows[0].label == 1, 3.0, 1.0))
        ours = [with_city(one) for one in rows]
        monkeypatch.setattr(encoding, "BATCH", 700)
        fitted = fit(*ours)
        values = [fitted.inputs(one.features) for one in ours]
        kinds = ["c" if name == "city" else "q" for name in (*FEATURES, "city")]
        named = {"feature_names": [*FEATURES, "city"], "feature_types": kinds, "enable_categorical": True}
        learn = xgb.QuantileDMatrix(values[0], rows[0].label, weight=rows[0].weight, max_bin=64, **named)
        judge = xgb.QuantileDMatrix(values[1], rows[1].label, ref=learn, max_bin=64, **named)
        early = xgb.callback.EarlyStopping(rounds=10, metric_name="auc", maximize=True, save_best=True)
        given = {name: PARAMS[name] for name in (*boosted_trees.LIMITS,) if name in PARAMS}
        given.pop("max_rounds"), given.pop("early_stopping_rounds")
        fixed = {"objective": "binary:logistic", "eval_metric": "auc", "tree_method": "hist", "seed": 7, "nthread": 1}
        whole = xgb.train(
            given | fixed | {"verbosity": 0},
            learn,
            60,
            evals=[(judge, "validation")],
            callbacks=[early],
            verbose_eval=False,
        )
        whole.set_attr(**{boosted_trees.ENCODING: fitted.encoding.to_json()})
        assert whole.save_raw() == fitted.booster.save_raw()

    def test_infinity_in_a_later_batch_is_refused(self, train, validation, monkeypatch):
        monkeypatch.setattr(encoding, "BATCH", 64)
        place, noise = FEATURES.index("noise"), np.zeros(len(train.label))
        noise[-1] = np.inf
        rows = train.features.set_column(place, "noise", pa.array(noise))
        with pytest.raises(RowsError, match="'noise' has infinite"):
            fit(replace(train, features=rows, cache={}), validation)

    def test_the_validation_matrix_fits_the_training_rows(self, train, validation, tmp_path):
        fit(invented(9), validation)
        used = fit(train, validation).predict(validation.features)
        fresh = fit(train, replace(validation, cache={})).predict(validation.features)
        assert used.tolist() == fresh.tolist()

    def test_contributions_are_those_of_shap(self, fitted, validation):
        ours = fitted.contributions(validation.features)
        theirs = shap.TreeExplainer(fitted.booster).shap_values(matrix(validation.features, FEATURES))
        np.testing.assert_allclose(ours, theirs, atol=1e-5)

    def test_contributions_add_up_to_the_prediction(self, fitted, validation):
        prediction = fitted.predict(validation.features)
        base = np.log(prediction / (1 - prediction)) - fitted.contributions(validation.features).sum(axis=1)
        np.testing.assert_allclose(base, base[0], atol=1e-4)

    def test_bad_validation_labels_are_refused(self, train, validation):
        with pytest.raises(RowsError, match="validation split are 0"):
            fit(train, replace(validation, label=np.zeros_like(validation.label), cache={}))

    def test_infinity_is_refused_when_predicting(self, fitted, validation):
        place = FEATURES.index("noise")
        rows = validation.features.set_column(place, "noise", pa.array([float("-inf")] + [0.0] * 199))
        with pytest.raises(RowsError, match="'noise' has infinite"):
            fitted.predict(rows)

    def test_a_file_of_other_features_is_refused(self, family, fitted, tmp_path):
        file = fitted.save(tmp_path)
        with pytest.raises(StoreError, match="other features"):
            family.load(file, FEATURES[::-1])

    def test_another_file_is_refused(self, family, tmp_path):
        file = tmp_path / "model.ubj"
        file.write_bytes(b"no model")
        with pytest.raises(StoreError, match="no XGBoost model"):
            family.load(file, FEATURES)


class TestXGBoostOnNumbers(NumberLearnerContract):
    module = boosted_trees

    @pytest.fixture(params=["squared", "absolute"])
    def family(self, request):
        self.params = PARAMS | {"loss": request.param}
        return XGBoost(loss=request.param)

    def test_it_learns(self, family, fitted):
        unseen = invented(3, rows=2_000, task=REGRESSION)
        off = np.abs(fitted.predict(unseen.features) - unseen.label)
        assert off.mean() < 0.6 * np.abs(unseen.label - unseen.label.mean()).mean()

    def test_the_best_round_is_kept(self, family, train, validation):
        told = []
        fitted = family.fit(
            train, validation, params=self.params, seed=7, report=lambda step, score: told.append((step, score))
        )
        best = int(np.argmax([score for _, score in told]))
        assert fitted.booster.num_boosted_rounds() == best + 1
        off = fitted.predict(validation.features) - validation.label
        reached = np.sqrt((off**2).mean()) if family.loss == "squared" else np.abs(off).mean()
        assert reached == pytest.approx(-told[best][1], rel=1e-5)

    def test_contributions_add_up_to_the_prediction(self, fitted, validation):
        base = fitted.predict(validation.features) - fitted.contributions(validation.features).sum(axis=1)
        np.testing.assert_allclose(base, base[0], atol=1e-4)

    def test_without_a_declared_loss_it_is_squared(self, train, validation):
        first, second = (fit(train, validation, loss=loss).predict(validation.features) for loss in (None, "squared"))
        assert first.tolist() == second.tolist()


def test_a_loss_says_which_labels_it_is_for():
    assert set(XGBoost().tasks) == {BINARY, REGRESSION, MULTICLASS, RANKING}
    assert [XGBoost(loss=loss).tasks for loss in ("softmax", "ndcg")] == [(MULTICLASS,), (RANKING,)]
    assert XGBoost(loss="log").tasks == (BINARY,)
    assert XGBoost(loss="absolute").tasks == (REGRESSION,)
    with pytest.raises(DeclarationError, match=r"XGBoost: loss 'absolut' is not known. Did you mean 'absolute'\?"):
        XGBoost(loss="absolut")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_depth", 0),
        ("max_depth", Whole(0, 4)),
        ("learning_rate", 0),
        ("learning_rate", Between(0.0, 0.3)),
        ("subsample", 1.5),
        ("reg_alpha", -1.0),
        ("max_bin", 1),
        ("max_rounds", 0),
    ],
)
def test_values_out_of_bounds_are_refused(field, value):
    with pytest.raises(DeclarationError, match=f"XGBoost: {field}"):
        XGBoost(**{field: value})


class TestXGBoostOfClasses(MulticlassLearnerContract):
    module = boosted_trees
    params = PARAMS

    @pytest.fixture
    def family(self):
        return XGBoost()

    def test_its_file_says_the_classes(self, family, fitted, tmp_path):
        again = family.load(fitted.save(tmp_path), FEATURES)
        assert again.classes == fitted.classes == ("high", "low", "middle")


class TestXGBoostOfRankings(RankingLearnerContract):
    module = boosted_trees
    params = PARAMS

    @pytest.fixture
    def family(self):
        return XGBoost()

    def test_the_best_round_by_our_own_ndcg_is_kept(self, train, validation):
        told = []
        fitted = fit(train, validation, report=lambda step, score: told.append(score))
        # Groups without a relevant row count as 1 there, and are left out here.
        relevant = np.bincount(validation.group, validation.label)[validation.group] > 0
        empty = len(np.unique(validation.group[~relevant])) / len(np.unique(validation.group))
        own = NDCG().score(validation.label, fitted.predict(validation.features), validation.group)
        assert own * (1 - empty) + empty == pytest.approx(max(told), abs=1e-6)
