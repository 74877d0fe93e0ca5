"""Two families compete for the model of the shop: from the dataset to a registered version."""

import shutil
from dataclasses import replace

import pytest

from platform_ml import Choice, Rival
from platform_ml.engine import card_artifact, tuned_model
from platform_ml.engine.training_dataset import split_rows
from platform_ml.engine.tuned_model import fitted
from platform_ml.families import Linear, RandomForest
from platform_ml.gates import AtLeast
from platform_ml.spec.leader_board import LeaderBoard
from platform_ml_tests.orchestration.shop import (
    CUTOFF,
    Checkout,
    failures,
    key,
    lapse,
    lapse_card,
    lapse_evaluation,
    lapse_model,
    shop,
)

FOREST = RandomForest(trees=5, max_depth=4, min_samples_leaf=10, max_features=0.5)
model = replace(
    lapse_model,
    family=replace(lapse_model.family, max_rounds=20),
    rivals=(Rival(family=Linear()), Rival(name="forest", family=FOREST)),
    choice=Choice(size_bytes=1_000_000, resamples=200),
    folds=2,
)
board = LeaderBoard(model=model)
evaluation = replace(lapse_evaluation, model=model)
card = replace(lapse_card, evaluation=evaluation)
registration = replace(lapse, card=card, gates=(AtLeast(metric="roc_auc", limit=0.05),))
project = replace(shop, outputs=(registration,))


def metadata(checkout, noun):
    record = checkout.instance.fetch_materializations(key(noun), limit=1).records[0]
    return {name: value.value for name, value in record.asset_materialization.metadata.items()}


@pytest.fixture(scope="module")
def registered(tmp_path_factory, _built):
    checkout = Checkout(shutil.copytree(_built, tmp_path_factory.mktemp("compete"), dirs_exist_ok=True))
    run = checkout.materialize([model, board, evaluation, card, registration], project=project, partition=CUTOFF)
    assert run.success, failures(run)
    yield checkout
    checkout.instance.dispose()


def test_the_model_is_that_of_the_family_that_won(registered):
    artifact = tuned_model.load(model, CUTOFF, work=registered.work)
    said = metadata(registered, model)
    assert said["family"] == artifact.record["family"] in model.competitors
    rows = split_rows(model.dataset, registered.work.platform.artifacts.newest(
        registered.work.place("datasets", model.dataset, CUTOFF)), "test").features  # fmt: skip
    predictor, _ = fitted(model, artifact)
    assert predictor.predict(rows).std() > 0
    assert artifact.record["advice"].endswith("trees first. They are among those that compete.")


def test_folds_are_on_the_model_and_in_the_tracker(registered):
    record = tuned_model.load(model, CUTOFF, work=registered.work).record
    folds = record["cross_validation"]
    assert len(folds["folds"]) == 2
    assert folds["folds"][0]["last"] < folds["folds"][1]["first"]
    said = metadata(registered, model)
    assert said["cv_mean"] == folds["mean"]
    assert "| Fold | Judged on |" in said["folds"]
    store = registered.platform.mlflow().tracker()
    runs = {run.name: run for run in store.runs("shop", ["search", "fit"])}
    (won,) = (run for name, run in runs.items() if name.endswith(f"-{record['family']}"))
    assert "test_roc_auc" in won.metrics, "the evaluation is a part of the same run"
    assert won.metrics["cv_mean"] == pytest.approx(folds["mean"])
    lost = [run for run in runs.values() if "lost_to" in run.tags]
    assert len(lost) == 2
    assert {run.tags["lost_to"] for run in lost} == {record["family"]}


def test_the_leader_board_is_an_asset_with_a_table(registered):
    said = metadata(registered, board)
    record = tuned_model.load(model, CUTOFF, work=registered.work).record
    assert said["chosen"] == record["family"]
    assert said["why"] == record["contest"]["why"]
    assert said["board"].count("\n| ") >= 3
    assert {f"validation_roc_auc/{name}" for name in model.competitors} <= said.keys()


def test_the_card_shows_both_and_the_version_is_registered(registered):
    text = (card_artifact.load(card, CUTOFF, work=registered.work).folder / "README.md").read_text()
    assert "### Leader board" in text
    assert "### Cross-validation" in text
    (version,) = registered.platform.mlflow().registry().versions()
    artifact = tuned_model.load(model, CUTOFF, work=registered.work)
    assert version.tags["model_digest"] == artifact.digest


def test_a_choice_that_nobody_meets_publishes_nothing(registered):
    strict = replace(model, name="strict_model", choice=Choice(size_bytes=10, resamples=100), folds=None)
    outputs = (replace(registration, card=replace(card, evaluation=replace(evaluation, model=strict))),)
    run = registered.materialize([strict], project=replace(project, outputs=outputs), partition=CUTOFF)
    assert not run.success
    assert "Model 'strict_model': no family can be chosen. xgboost: It has " in failures(run)
    assert "Nothing was published or registered." in failures(run)
    work = registered.work
    assert work.platform.artifacts.versions(f"models/{work.project}/strict_model") == []
    runs = registered.platform.mlflow().tracker().runs("shop", ["search", "fit"])
    assert {run.tags["model"] for run in runs} == {"lapse_model"}
