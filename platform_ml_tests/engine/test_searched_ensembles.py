"""Ensembles whose members are searched together, from the search to the program on the card."""

from dataclasses import replace

import pytest

from platform_ml.adapters.folders import Folders
from platform_ml.engine.card_usage import usage
from platform_ml.engine.portable import export
from platform_ml.engine.tuned_model import fitted, save, train
from platform_ml.families import Linear, Stacking, Voting
from platform_ml.spec.space import Between, Whole, ranges
from platform_ml.tuners import TPE
from platform_ml_tests.engine.test_tuned_model import MODEL, Splits, quiet
from platform_ml_tests.families.test_stacking import TREES

MEMBERS = (replace(TREES, max_depth=Whole(2, 4)), Linear(penalty=Between(0.001, 0.1, log=True)))
STACK = Stacking(members=MEMBERS, final=Linear(penalty=Between(0.01, 1.0, log=True)), folds=2)


@pytest.fixture(scope="module", params=[STACK, Voting(members=MEMBERS, weights=(2.0, 1.0))], ids=["stack", "votes"])
def searched(request, tmp_path_factory):
    model, splits = replace(MODEL, family=request.param, tuner=TPE(trials=3)), Splits()
    trained = train(model, splits, progress=quiet)
    place = tmp_path_factory.mktemp("ensemble")

    def fill(folder):
        save(trained, folder)
        export(trained.predictor, splits["validation"].features, folder)

    return model, splits, trained, Folders(place).publish("models/shop/lapse_model/x", "a" * 64, {}, fill)


def test_every_trial_draws_for_every_member(searched):
    model, _, trained, _ = searched
    names = ranges(model.family).keys()
    assert {"xgboost.max_depth", "linear.penalty"} <= names
    drawn = [tuple(trial.params[name] for name in names) for trial in trained.search.trials]
    assert len(set(drawn)) == 3
    assert trained.params["xgboost.learning_rate"] == TREES.learning_rate


def test_what_was_published_predicts_the_same_and_has_a_graph(searched):
    model, splits, trained, artifact = searched
    assert {"model.tar", "model.onnx"} <= set(artifact.record["files"])
    predictor, _ = fitted(model, artifact)
    rows = splits["validation"].features
    assert predictor.predict(rows).tolist() == trained.predictor.predict(rows).tolist()


def test_the_program_on_the_card_knows_the_members(searched):
    model, splits, trained, artifact = searched
    said = usage(model, {"files": {"model.tar": "f" * 64}, "registered_as": ""}, registered=False)
    assert "from platform_ml.families import Linear," in said
    (line,) = [line for line in said.splitlines() if line.startswith("model = ")]
    named = {"file": artifact.folder / "model.tar", "FEATURES": model.dataset.view.feature_names}
    exec("from platform_ml.families import *\n" + line, named)  # noqa: S102 - our own program
    rows = splits["validation"].features
    assert named["model"].predict(rows).tolist() == trained.predictor.predict(rows).tolist()
