import json
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from platform_ml.adapters.folders import Folders
from platform_ml.engine.content import file_sha256
from platform_ml.engine.platform import Platform, Work
from platform_ml.engine.tuned_model import SEARCH, fitted, materialize_tuned_model, model_digest, save, train
from platform_ml.families import (
    CatBoost,
    LightGBM,
    Linear,
    Majority,
    MultilayerPerceptron,
    RandomForest,
    SingleFeature,
    XGBoost,
)
from platform_ml.metrics import LogLoss, RocAuc
from platform_ml.spec.errors import DeclarationError, PlatformError, RowsError, StoreError
from platform_ml.spec.space import Between, Whole
from platform_ml.spec.task import BINARY
from platform_ml.spec.tuned_model import Baseline
from platform_ml.testing.declarations import lapse_model
from platform_ml.testing.families import invented
from platform_ml.tuners import TPE

MODEL = replace(
    lapse_model,
    family=XGBoost(max_depth=Whole(2, 4), learning_rate=Between(0.1, 0.3), max_rounds=30, early_stopping_rounds=5),
    tuner=TPE(trials=4),
)
SPENT, RECENCY = MODEL.dataset.view.feature_names


class Splits(dict):
    """Says which splits were read."""

    def __init__(self):
        rows = {"train": invented(1), "validation": invented(2), "test": invented(3)}
        for name, split in rows.items():
            features = split.features.select(["amount", "recency"]).rename_columns([SPENT, RECENCY])
            rows[name] = replace(split, features=features)
        super().__init__(rows)
        self.read = set()

    def __getitem__(self, name):
        self.read.add(name)
        return super().__getitem__(name)


@pytest.fixture
def splits():
    return Splits()


def digest_of(trained, folder):
    folder.mkdir()
    return model_digest(save(trained, folder), trained.params, dataset="d", declared="f")


def quiet(text):
    """Tell nobody."""


def test_the_same_rows_give_the_same_model(splits, tmp_path):
    first, second = (train(MODEL, rows, progress=quiet) for rows in (splits, Splits()))
    assert digest_of(first, tmp_path / "a") == digest_of(second, tmp_path / "b")
    assert first.params == second.params


def test_other_rows_parameters_or_declarations_are_another_model(splits, tmp_path):
    trained = train(MODEL, splits, progress=quiet)
    file = save(trained, tmp_path)
    same = {"params": trained.params, "dataset": "d", "declared": "f"}
    other = [{"params": {**trained.params, "max_depth": 9}}, {"dataset": "e"}, {"declared": "g"}]
    digests = {model_digest(file, **same | change) for change in [{}, {}, *other]}
    file.write_bytes(file.read_bytes() + b"\0")
    assert len(digests | {model_digest(file, **same)}) == 5


def test_the_test_rows_are_never_touched(splits):
    train(MODEL, splits, progress=quiet)
    assert splits.read == {"train", "validation"}


def test_the_best_trial_is_the_model(splits):
    trained = train(MODEL, splits, progress=quiet)
    validation = splits["validation"]
    assert len(trained.search.trials) == 4
    assert trained.score == max(trial.score for trial in trained.search.trials if trial.score is not None)
    assert trained.score == MODEL.metric.score(validation.label, trained.predictor.predict(validation.features))
    assert trained.params == trained.search.best.params


def test_a_metric_may_be_the_lower_the_better(splits):
    trained = train(replace(MODEL, metric=LogLoss()), splits, progress=quiet)
    assert trained.score == min(trial.score for trial in trained.search.trials if trial.score is not None)
    assert trained.score < LogLoss().score(splits["validation"].label, np.full(400, splits["train"].label.mean()))


def test_progress_is_told_trial_by_trial(splits):
    said = []
    train(MODEL, splits, progress=said.append)
    assert len(said) == 4
    assert said[0].startswith("lapse_model: trial 1 of 4: ROC AUC 0.")


def test_another_process_reads_what_was_saved(splits, tmp_path):
    trained = train(MODEL, splits, progress=quiet)
    artifact = Folders(tmp_path).publish(
        "models/shop/lapse_model/x", "a" * 64, {}, lambda folder: save(trained, folder)
    )
    assert set(artifact.record["files"]) == {"model.ubj", "baseline_recency.json", "baseline_majority.json", SEARCH}
    predictor, baselines = fitted(MODEL, artifact)
    rows = splits["test"].features
    assert predictor.predict(rows).tolist() == trained.predictor.predict(rows).tolist()
    for name, baseline in trained.baselines.items():
        assert baselines[name].predict(rows).tolist() == baseline.predict(rows).tolist()


def test_every_trial_is_written_down(splits, tmp_path):
    trained = train(MODEL, splits, progress=quiet)
    save(trained, tmp_path)
    plain = json.loads((tmp_path / SEARCH).read_text())
    assert plain["trials"] == [
        vars(trial) | {"params": dict(trial.params), "steps": list(trial.steps)} for trial in trained.search.trials
    ]
    assert plain["params"] == trained.params
    assert plain["trials"][plain["best"]]["score"] == plain["score"] == trained.score


def test_an_artifact_without_a_baseline_of_today_is_refused(splits, tmp_path):
    trained = train(MODEL, splits, progress=quiet)
    artifact = Folders(tmp_path).publish("m", "a" * 64, {}, lambda folder: save(trained, folder))
    more = replace(MODEL, baselines=(*MODEL.baselines, Baseline(name="coin", family=Majority())))
    with pytest.raises(StoreError, match="no baseline 'coin'"):
        fitted(more, artifact)


@dataclass(frozen=True, kw_only=True)
class Forgetful:
    """A family whose fits differ."""

    name: ClassVar[str] = "forgetful"
    tasks: ClassVar = (BINARY,)
    drawn: ClassVar = np.random.default_rng(0)
    share: float | Between = Between(0.0, 1.0)

    def fit(self, train, validation, *, params, seed, report=None):
        noise = self.drawn.normal(size=len(validation.label))
        return type("Fitted", (), {"predict": lambda _, rows: noise})()


def test_a_family_that_cannot_repeat_itself_is_refused(splits):
    with pytest.raises(PlatformError, match=r"'lapse_model' cannot be repeated.*'forgetful'"):
        train(replace(MODEL, family=Forgetful()), splits, progress=quiet)


def test_validation_rows_of_one_class_are_refused(splits):
    splits["validation"] = replace(splits["validation"], label=np.ones(400))
    with pytest.raises(RowsError, match="validation split"):
        train(MODEL, splits, progress=quiet)


def test_a_baseline_is_not_searched():
    with pytest.raises(DeclarationError, match="baseline 'trees' has a range for 'max_depth'"):
        replace(MODEL, baselines=(Baseline(name="trees", family=XGBoost()),))


def test_a_family_without_ranges_is_fitted_once_and_again(splits):
    trained = train(replace(MODEL, family=SingleFeature(feature=RECENCY), metric=RocAuc()), splits, progress=quiet)
    assert len(trained.search.trials) == 1
    assert trained.params == {"feature": RECENCY, "descending": False}


def test_the_file_is_the_native_one(splits, tmp_path):
    trained = train(MODEL, splits, progress=quiet)
    file = save(trained, tmp_path)
    assert file.name == "model.ubj"
    assert file_sha256(file) == file_sha256(trained.predictor.save(tmp_path))


FAMILIES = (XGBoost(), LightGBM(), CatBoost(), RandomForest(), Linear(), MultilayerPerceptron())
BAD = {
    "one class": ("label", lambda rows: [1.0] * rows, "all 400 labels of its train split are 1. With one class"),
    "ten rows": (None, lambda rows: 10, "its train split has 10 rows, and 20 are the least"),
    "all null": (SPENT, lambda rows: pa.nulls(rows, pa.float64()), f"feature '{SPENT}' is null in all 400 rows"),
    "infinite": (SPENT, lambda rows: [float("inf")] + [0.0] * (rows - 1), f"feature '{SPENT}' is infinite in 1 rows"),
}


@pytest.mark.parametrize("what", BAD)
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_bad_rows_are_refused_and_leave_nothing_behind(tmp_path, splits, family, what):
    column, spoil, complaint = BAD[what]
    label, entity = MODEL.dataset.view.label.name, MODEL.dataset.view.label.entity

    def fill(folder):
        for name in ("train", "validation"):
            split = splits[name]
            rows = split.features.append_column(label, pa.array(split.label))
            rows = rows.append_column(entity, pa.array(split.entity)).append_column("event_time", split.event_time)
            for helper in MODEL.dataset.view.helper_names:
                rows = rows.append_column(helper, pa.nulls(len(rows), pa.string()))
            if name == "train" and column is None:
                rows = rows.slice(0, spoil(len(rows)))
            elif name == "train":
                place = rows.column_names.index(label if column == "label" else column)
                rows = rows.set_column(place, rows.column_names[place], pa.array(spoil(len(rows)), pa.float64()))
            pq.write_table(rows, folder / f"{name}.parquet")

    store = Folders(tmp_path)
    dataset = store.publish("datasets/shop/lapse_dataset/x", "d" * 64, {}, fill)
    platform = Platform(landing=tmp_path, tables=None, compute=None, artifacts=store, tracker=None, registry=None)
    work = Work(project="shop", platform=platform, say=quiet)
    with pytest.raises(RowsError) as error:
        materialize_tuned_model(replace(MODEL, family=family), "x", dataset, work=work, made_by={})
    assert str(error.value).startswith("shop/lapse_model cannot learn from dataset 'lapse_dataset': ")
    assert complaint in str(error.value)
    assert store.versions("models") == []
