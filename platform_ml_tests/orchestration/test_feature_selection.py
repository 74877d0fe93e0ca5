"""A model that sees chosen features and has an ablation, from its dataset to the registry, through Dagster."""

import json
import shutil
from dataclasses import replace

import pytest

from platform_ml.engine.registration import register
from platform_ml.orchestration.build import project_jobs
from platform_ml.selections import LanguageModel, MutualInformation
from platform_ml.spec.ablation import Without
from platform_ml.spec.errors import Refused
from platform_ml.spec.evaluation import EvaluationResult
from platform_ml.spec.feature_selection import FeatureSelection
from platform_ml.spec.registration import Approved
from platform_ml.spec.stage import Actor
from platform_ml_tests.orchestration.shop import (
    CUTOFF,
    Checkout,
    failures,
    lapse,
    lapse_card,
    lapse_dataset,
    lapse_evaluation,
    lapse_model,
    lapse_view,
    shop,
)
from platform_ml_tests.orchestration.test_tracked import metadata

SPENT, RECENCY, LONGER = lapse_view.feature_names
selection = FeatureSelection(
    name="lapse_features",
    description="Two of them.",
    dataset=lapse_dataset,
    method=LanguageModel(otherwise=MutualInformation()),
    keep=2,
    always=(RECENCY,),
)
model = replace(lapse_model, features=selection, ablations=(Without(features=(RECENCY,), called="recency"),))
evaluation = replace(lapse_evaluation, model=model)
card = replace(lapse_card, evaluation=evaluation)
registration = replace(lapse, card=card, gates=(replace(lapse.gates[0], limit=0.01),))
PROJECT = replace(shop, outputs=(registration,))
PATH = [selection, model, evaluation, card, registration]


@pytest.fixture(scope="module")
def made(tmp_path_factory, _built):
    checkout = Checkout(shutil.copytree(_built, tmp_path_factory.mktemp("chosen"), dirs_exist_ok=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PLATFORM_ML_LLM_URL", raising=False)
        early = checkout.materialize([model], partition=CUTOFF, project=PROJECT)
        run = checkout.materialize(PATH, partition=CUTOFF, project=PROJECT)
    assert run.success, failures(run)
    yield checkout, failures(early)
    checkout.instance.dispose()


@pytest.fixture(scope="module")
def trained(made):
    checkout, _ = made
    return checkout.work.platform.artifacts.newest(checkout.work.place("models", model, CUTOFF))


def test_without_the_choice_there_is_no_model(made):
    _, early = made
    assert "shop/lapse_features has no partition" in early
    assert "dagster asset materialize" in early


def test_the_asset_shows_the_ranked_list_with_reasons(made):
    said = metadata(made[0], selection)
    assert (said["method"], said["kept"], said["dropped"]) == ("mutual_information", 2, 1)
    rows = said["features"].splitlines()
    assert len(rows) == 5
    assert sum("| yes |" in row for row in rows) == 2
    assert any(f"`{RECENCY}`" in row and "Always kept, as declared." in row for row in rows)
    assert "PLATFORM_ML_LLM_URL" in said["notes"]


def test_model_run_and_record_say_what_was_chosen(made, trained):
    checkout, _ = made
    published = checkout.work.platform.artifacts.newest(checkout.work.place("selections", selection, CUTOFF))
    assert published.record["kept"] == [
        name for name in lapse_view.feature_names if name not in trained.record["not_used"]
    ]
    assert "ranked by mutual_information instead" in published.record["notes"][0]
    assert published.record["files"]["selection.json"] == trained.record["files"]["selection.json"]
    runs = {
        run.name: run for run in checkout.platform.mlflow().tracker().runs("shop", ("ablation", "search", "baseline"))
    }
    assert "ablation-no-recency" in runs
    assert runs["ablation-no-recency"].metrics.keys() >= {"validation_roc_auc", "test_roc_auc", "loss_test_roc_auc"}


def test_the_card_speaks_of_all_features_and_of_the_ablation(made, trained):
    checkout, _ = made
    folder = checkout.work.platform.artifacts.newest(checkout.work.place("cards", card, CUTOFF)).folder
    (unused,) = trained.record["not_used"]
    for name in ("README.md", "card.html"):
        text = (folder / name).read_text()
        assert "Baselines and ablations" in text
        assert "Not used:" in text
        assert f"without {RECENCY}" in text.replace("\\_", "_").replace("_<wbr>", "_")
    plain = json.loads((folder / "card.json").read_text())
    features = {one["name"]: one for one in plain["features"]}
    assert [name for name, one in features.items() if one["not_used"]] == [unused]
    assert features[unused]["mean_abs_shap"] == 0
    assert f'"{unused}"' not in plain["usage"]


def test_a_model_is_registered_with_its_choice_and_with_no_other(made, trained, tmp_path):
    checkout, _ = made
    registry = checkout.platform.mlflow().registry()
    (version,) = registry.versions()
    assert version.tags["model_digest"] == trained.digest
    numbers = checkout.work.platform.artifacts.newest(checkout.work.place("evaluations", evaluation, CUTOFF))
    result = EvaluationResult.from_json(json.loads((numbers.folder / "evaluation.json").read_text()))
    names = ("model.ubj", "search.json", "selection.json")
    files = {name: trained.folder / name for name in names} | {"evaluation.json": numbers.folder / "evaluation.json"}
    (tmp_path / "selection.json").write_text(files["selection.json"].read_text() + " ")
    for changed, complaint in (
        ({name: file for name, file in files.items() if name != "selection.json"}, "without 'selection.json'"),
        (files | {"selection.json": tmp_path / "selection.json"}, "but these files are"),
    ):
        with pytest.raises(Refused, match=complaint):
            register(
                registration,
                Approved.by(registration, result),
                registry=registry,
                run_id="r",
                files=changed,
                tags={},
                actor=Actor(who="ada", run="a test"),
            )


def test_the_job_of_a_registered_model_makes_the_choice():
    (job,) = [job for job in project_jobs(PROJECT) if job.name == "shop_lapse"]
    assert "lapse_features" in str(job.selection)
