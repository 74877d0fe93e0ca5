import json
from dataclasses import replace

import numpy as np
import pytest

from platform_ml.adapters.folders import Folders
from platform_ml.engine.preparation import FILE, Fitted
from platform_ml.engine.tuned_model import fitted, model_digest, save, train
from platform_ml.families import LightGBM, XGBoost
from platform_ml.preparations import Clip, Impute, Scale
from platform_ml.spec.errors import DeclarationError, StoreError
from platform_ml.testing.declarations import lapse_model
from platform_ml.testing.families import invented
from platform_ml.tuners import TPE

SPENT, RECENCY = lapse_model.dataset.view.feature_names
STEPS = (Clip(of=(SPENT, RECENCY)), Impute(of=(SPENT,)), Scale(of=(SPENT,), by="robust"))
MODEL = replace(
    lapse_model,
    family=XGBoost(max_depth=3, max_rounds=30, early_stopping_rounds=5),
    tuner=TPE(trials=2),
    preparations=STEPS,
)


def rows(seed):
    made = invented(seed)
    return replace(made, features=made.features.select(["amount", "recency"]).rename_columns([SPENT, RECENCY]))


@pytest.fixture(scope="module")
def splits():
    return {name: rows(seed) for seed, name in enumerate(("train", "validation", "test"))}


@pytest.fixture(scope="module")
def trained(splits):
    return train(MODEL, splits, progress=lambda _: None)


def test_training_rows_alone_are_looked_at(splits, trained):
    other = splits | {"validation": replace(splits["validation"], features=rows(9).features)}
    assert train(MODEL, other, progress=lambda _: None).predictor.fitted == trained.predictor.fitted
    assert trained.predictor.fitted == Fitted.of(STEPS, splits["train"].features, splits["train"].helpers)


def test_each_step_sees_what_those_before_it_left(splits):
    clipped = STEPS[0].apply(splits["train"].features, STEPS[0].fit(splits["train"].features))
    found = Fitted.of(STEPS, splits["train"].features, splits["train"].helpers)
    assert found.states[1] == STEPS[1].fit(clipped)


def test_the_model_takes_rows_as_they_are(splits, trained):
    raw = splits["test"].features
    by_hand = trained.predictor.predictor.predict(trained.predictor.fitted.apply(raw))
    assert trained.predictor.predict(raw).tolist() == by_hand.tolist()
    assert trained.predictor.contributions(raw).shape == (400, 2)


def test_another_process_reads_model_and_preparations(splits, trained, tmp_path):
    artifact = Folders(tmp_path).publish("m", "a" * 64, {}, lambda folder: save(trained, folder))
    assert FILE in artifact.record["files"]
    predictor, _ = fitted(MODEL, artifact)
    raw = splits["test"].features
    assert predictor.predict(raw).tolist() == trained.predictor.predict(raw).tolist()


def test_baselines_see_the_features_as_they_are(splits, trained):
    plain = train(replace(MODEL, preparations=()), splits, progress=lambda _: None)
    raw = splits["test"].features
    for name, baseline in plain.baselines.items():
        assert trained.baselines[name].predict(raw).tolist() == baseline.predict(raw).tolist()


def test_other_preparations_are_another_model(trained, tmp_path):
    file = save(trained, tmp_path)
    said = {"dataset": "d", "declared": "f", "prepared": tmp_path / FILE}
    first = model_digest(file, trained.params, **said)
    (tmp_path / FILE).write_text((tmp_path / FILE).read_text() + " ")
    assert model_digest(file, trained.params, **said) != first


def test_a_file_of_other_preparations_is_refused(trained, tmp_path):
    save(trained, tmp_path)
    with pytest.raises(StoreError, match="other preparations"):
        Fitted.load(STEPS[:2], tmp_path / FILE)
    (tmp_path / FILE).write_text(json.dumps([{"is": "clip"}]))
    with pytest.raises(StoreError, match="holds no preparations"):
        Fitted.load(STEPS, tmp_path / FILE)


def test_an_unknown_feature_is_refused_when_declared():
    with pytest.raises(DeclarationError, match=f"Did you mean '{SPENT}'"):
        replace(MODEL, preparations=(Clip(of=(SPENT[:-1],)),))


def test_ones_may_weigh_more(splits):
    rare = replace(splits["train"], label=np.where(np.arange(400) % 4 == 0, splits["train"].label, 0.0), cache={})
    means = []
    for weight in (None, 2.0, "balanced"):
        model = replace(MODEL, preparations=(), positive_weight=weight, family=LightGBM(max_rounds=30))
        found = train(model, splits | {"train": rare}, progress=lambda _: None)
        means.append(found.predictor.predict(splits["test"].features).mean())
    assert means[0] < means[1] < means[2]


@pytest.mark.parametrize("weight", [0, -1.0, float("inf"), "much"])
def test_a_weight_is_above_nothing(weight):
    with pytest.raises(DeclarationError, match="positive_weight"):
        replace(MODEL, positive_weight=weight)
