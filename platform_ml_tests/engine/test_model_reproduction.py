from dataclasses import replace

import pytest

from platform_ml.engine.content import file_sha256
from platform_ml.engine.model_reference import ModelReference
from platform_ml.engine.model_reproduction import _again
from platform_ml.engine.ports import Artifact
from platform_ml.engine.tuned_model import refit, save, train
from platform_ml.preparations import Impute, Scale
from platform_ml.testing.declarations import shop
from platform_ml_tests.engine.test_tuned_model import MODEL, SPENT, Splits, quiet

PREPARED = replace(MODEL, preparations=(Impute(of=(SPENT,)), Scale(of=(SPENT,))))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    trained = train(PREPARED, Splits(), progress=quiet)
    save(trained, folder)
    files = {file.name: file_sha256(file) for file in folder.iterdir()}
    artifact = Artifact(folder=folder, digest="d" * 64, record={"files": files, "params": dict(trained.params)})
    return ModelReference(project=shop, model=PREPARED, artifact=artifact)


def refitted(params):
    return lambda: refit(PREPARED, Splits(), name=PREPARED.family.name, params=params)


def test_preparations_and_baselines_are_made_again_as_well(made):
    level = _again("fitted again", made, refitted(made.artifact.record["params"]), Splits())
    assert level.identical
    assert level.checked == "4 files by their sha256"
    assert {"preparation.json", "model.ubj"} <= made.artifact.record["files"].keys()


def test_a_search_is_the_same_trial_by_trial(made):
    def searched(model):
        return lambda: train(model, Splits(), progress=quiet)

    assert _again("searched again", made, searched(PREPARED), Splits(), trials=True).identical
    fewer = replace(PREPARED, tuner=replace(PREPARED.tuner, trials=3))
    level = _again("searched again", made, searched(fewer), Splits(), trials=True)
    assert "search.json: 3 trials; published were 4" in map(str, level.differences)


def test_parameters_that_nothing_can_be_fitted_with_are_a_difference(made):
    (only,) = _again("fitted again", made, refitted({"max_depth": 3}), Splits()).differences
    assert str(only).startswith("today's declaration cannot be trained: KeyError: ")
