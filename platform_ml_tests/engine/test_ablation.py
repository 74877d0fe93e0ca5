import json
from dataclasses import replace

import numpy as np
import pytest

from platform_ml.adapters.folders import Folders
from platform_ml.engine.ablation import fitted_ablations
from platform_ml.engine.card_rivals import card_rivals
from platform_ml.engine.chosen import Chosen
from platform_ml.engine.evaluation import evaluate
from platform_ml.engine.ports import Artifact
from platform_ml.engine.tracked_ablation import with_ablation_scores, with_ablations
from platform_ml.engine.tracked_evaluation import _ablated
from platform_ml.engine.tracked_run import ABLATION, BASELINE, model_run
from platform_ml.engine.tuned_model import SEARCH, save, train
from platform_ml.spec.ablation import Without
from platform_ml.spec.errors import PlatformError, StoreError
from platform_ml.spec.evaluation import EvaluationResult
from platform_ml.testing.declarations import lapse_evaluation
from platform_ml_tests.engine.choosing import BEST, COUNT, COUNTRY, MODEL, NAMES, RECENCY, SPENT, STUDENT, quiet, rows
from platform_ml_tests.engine.test_tracked_run import RECORD, TAGS

ABLATED = replace(MODEL, ablations=(Without("order_history"), Without(features=(COUNT,)), Without(features=(STUDENT,))))
HISTORY, NOISE, OTHER = "no_order_history", "no_count_28d", "no_student"
EVALUATION = replace(lapse_evaluation, model=ABLATED, slices=())


@pytest.fixture(scope="module")
def splits():
    return {name: rows(seed) for seed, name in enumerate(("train", "validation", "test"), start=1)}


@pytest.fixture(scope="module")
def trained(splits):
    return train(ABLATED, splits, progress=quiet)


@pytest.fixture(scope="module")
def artifact(trained, tmp_path_factory):
    folders = Folders(tmp_path_factory.mktemp("ablated"))
    return folders.publish("m", "a" * 64, {}, lambda folder: save(trained, folder))


@pytest.fixture(scope="module")
def result(splits, trained, artifact):
    rivals = dict(trained.baselines) | fitted_ablations(ABLATED, artifact, SEARCH)
    return evaluate(
        EVALUATION, splits=splits, predictor=trained.predictor, baselines=rivals, model_digest="model",
        dataset_digest="dataset", cutoff="2024-06-10", size_bytes=1,
    )  # fmt: skip


def test_each_is_the_model_with_the_same_parameters_without_some_features(splits, trained):
    assert {name: one.kept for name, one in trained.ablations.items()} == {
        HISTORY: (STUDENT, COUNTRY),
        NOISE: (RECENCY, SPENT, STUDENT, COUNTRY),
        OTHER: (RECENCY, SPENT, COUNT, COUNTRY),
    }
    rest = {name: one.features.select([STUDENT, COUNTRY]) for name, one in splits.items()}
    narrow = {name: replace(one, features=rest[name], cache={}) for name, one in splits.items()}
    by_hand = MODEL.family.fit(narrow["train"], narrow["validation"], params=trained.params, seed=MODEL.seed)
    found = trained.ablations[HISTORY].predictor.predict(splits["test"].features)
    assert found.tolist() == by_hand.predict(rest["test"]).tolist()
    label = splits["validation"].label
    assert trained.ablations[HISTORY].score == MODEL.metric.score(label, by_hand.predict(rest["validation"]))


def test_the_model_itself_is_the_same_with_and_without_them(splits, trained, artifact):
    plain = train(MODEL, splits, progress=quiet)
    test = splits["test"].features
    assert plain.predictor.predict(test).tolist() == trained.predictor.predict(test).tolist()
    assert json.loads((artifact.folder / SEARCH).read_text())["ablations"][HISTORY]["file"] in artifact.record["files"]


def test_what_is_lost_is_paired_with_the_model(result):
    lead = result.ablations[HISTORY].lead["roc_auc"]
    whole, less = result.test("roc_auc").value, result.ablations[HISTORY].metrics["roc_auc"].value
    assert lead.value == pytest.approx(whole - less)
    assert lead.low > 0
    assert result.ablations[HISTORY].lead["log_loss"].value > 0
    assert abs(result.ablations[NOISE].lead["roc_auc"].value) < lead.value
    assert set(result.baselines) == {"majority"}


def test_numbers_survive_a_file_and_older_ones_keep_their_digest(result):
    again = EvaluationResult.from_json(json.loads(json.dumps(result.to_json())))
    assert again == result
    assert again.digest == result.digest
    older = replace(result, ablations={})
    assert "ablations" not in older.to_json()
    assert EvaluationResult.from_json(older.to_json()) == older


def test_the_card_has_one_table_of_rivals(result):
    found = card_rivals(ABLATED, result.to_json())
    assert [(one["kind"], one["said"]) for one in found[:2]] == [
        ("baseline", "majority"),
        ("ablation", f"without {RECENCY}, {SPENT}, {COUNT}"),
    ]


def test_each_is_a_tagged_run(trained, artifact, result, tmp_path):
    dataset = Artifact(folder=tmp_path, digest="d" * 64, record=RECORD)
    run = model_run(
        ABLATED, trained, model_digest="m" * 64, folder=artifact.folder, dataset=dataset, experiment="shop",
        tags=TAGS, started=10,
    )  # fmt: skip
    told = with_ablations(run, ABLATED, trained)
    below = {one.tags["ablation"]: one for one in told.children if one.tags["kind"] == ABLATION}
    assert below[HISTORY].name == "ablation-no-order-history"
    assert below[HISTORY].params["left_out"] == f"{RECENCY}, {SPENT}, {COUNT}"
    assert below[HISTORY].params["seed"] == MODEL.seed
    assert below[HISTORY].metrics["validation_roc_auc"] == trained.ablations[HISTORY].score
    assert [one.tags["kind"] for one in told.children].count(BASELINE) == 1
    assert len({one.key for one in told.children}) == len(told.children)
    part = replace(run, part="evaluation-1", children=())
    scores = {one.tags["ablation"]: one for one in with_ablation_scores(part, "m" * 64, _ablated(result)).children}
    assert scores[HISTORY].key == below[HISTORY].key
    assert scores[HISTORY].part == "evaluation-1"
    assert scores[HISTORY].metrics["loss_test_roc_auc"] == result.ablations[HISTORY].lead["roc_auc"].value
    assert with_ablation_scores(part, "m" * 64, {}) is part


def test_the_run_says_which_features_were_chosen(trained, artifact, tmp_path):
    chosen = Chosen(selection="best", method="l1", rule="Some.", picks=(), kept=(SPENT,))
    dataset = Artifact(folder=tmp_path, digest="d" * 64, record=RECORD)
    run = model_run(
        MODEL, trained, model_digest="m" * 64, folder=artifact.folder, dataset=dataset, experiment="shop", tags=TAGS,
        started=10,
    )  # fmt: skip
    told = with_ablations(run, MODEL, replace(trained, chosen=chosen, ablations={}))
    assert told.tags.items() >= {"selection": "best", "selection_method": "l1"}.items()
    assert told.metrics["features_used"] == 1


def test_one_that_leaves_none_of_the_chosen_features_is_refused_before_the_search(splits):
    model = replace(
        MODEL, features=replace(BEST, keep=1), ablations=(Without(features=(SPENT, RECENCY, COUNTRY), called="all"),)
    )
    said = []
    with pytest.raises(PlatformError, match="'no_all' leaves out all 1 features that were chosen"):
        train(model, splits, progress=said.append)
    assert said == []


def test_a_model_that_was_made_without_it_has_to_be_made_again(splits, trained, artifact):
    with pytest.raises(StoreError, match="has no ablation 'no_country'"):
        fitted_ablations(replace(MODEL, ablations=(Without(features=(COUNTRY,)),)), artifact, SEARCH)
    assert fitted_ablations(MODEL, artifact, SEARCH) == {}
    assert np.isfinite(trained.score)
    assert set(NAMES) == set(splits["test"].features.column_names)
