import json
import shutil
from dataclasses import replace

import pytest

from platform_ml.adapters.folders import Folders
from platform_ml.engine.champion import champion_digest, champion_of
from platform_ml.engine.evaluation import FILE
from platform_ml.engine.platform import Platform, Work
from platform_ml.families import Majority
from platform_ml.gates import BeatsChampion
from platform_ml.spec.evidence import Evidence
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.testing.declarations import CUTOFF, lapse_evaluation, lapse_model, numbers
from platform_ml_tests.engine.test_evaluation import BASELINES, MODEL, SPLITS, Logistic, run

OWN = replace(lapse_model, family=Majority(), baselines=lapse_model.baselines[1:])
EVALUATION = replace(lapse_evaluation, champion="lapse", model=OWN)
DECLARED = fingerprint(EVALUATION.model)


class Registry:
    """Holds one alias."""

    def __init__(self):
        self.tags = None

    def promoted(self, name, alias):
        assert (name, alias) == ("lapse", "champion")
        return self.tags


@pytest.fixture
def work(tmp_path):
    platform = Platform(
        landing=tmp_path,
        tables=None,
        compute=None,
        artifacts=Folders(tmp_path / "folders"),
        tracker=None,
        registry=Registry(),
    )
    return Work(project="shop", platform=platform, say=lambda text: None)


def trained(work, digest, *, declared=DECLARED):
    """A published model."""
    fitted = Majority().fit(SPLITS["train"], SPLITS["validation"], params={}, seed=0)

    def fill(folder):
        file = fitted.save(folder)
        (folder / "search.json").write_text(json.dumps({"model": file.name, "baselines": {"majority": file.name}}))

    record = {"fingerprint": declared}
    return work.platform.artifacts.publish(work.place("models", EVALUATION.model, digest[:3]), digest, record, fill)


def test_who_does_not_ask_gets_none(work):
    assert champion_digest(lapse_evaluation, trained(work, "new"), str(CUTOFF), work=work) is None


def test_there_is_none_until_something_is_promoted(work):
    model = trained(work, "new")
    assert champion_digest(EVALUATION, model, str(CUTOFF), work=work) == ""
    assert champion_of(EVALUATION, "", model, work=work) is None


def test_it_is_what_the_registry_says_and_is_loaded_from_where_models_are(work):
    old, new = trained(work, "old"), trained(work, "new")
    work.platform.registry.tags = {"model_digest": old.digest}
    assert champion_digest(EVALUATION, new, str(CUTOFF), work=work) == "old"
    rival = champion_of(EVALUATION, "old", new, work=work)
    assert rival.predict(SPLITS["test"].features).mean() == pytest.approx(SPLITS["train"].label.mean())
    assert champion_of(EVALUATION, "new", new, work=work) is None


def test_once_compared_it_stays_the_rival(work):
    model = trained(work, "new")
    result = replace(
        numbers(evidence=Evidence(champion="old")), model_digest="new", policy_digest=fingerprint(EVALUATION)
    )
    place = work.place("evaluations", EVALUATION, str(CUTOFF))

    def fill(folder):
        (folder / FILE).write_text(json.dumps(result.to_json()))

    work.platform.artifacts.publish(place, result.digest, {}, fill)
    work.platform.registry.tags = {"model_digest": "new"}
    assert champion_digest(EVALUATION, model, str(CUTOFF), work=work) == "old"
    assert champion_digest(EVALUATION, trained(work, "newer"), str(CUTOFF), work=work) == "new"


def test_one_that_another_declaration_made_or_that_was_changed_is_not_loaded(work):
    model, other = trained(work, "new"), trained(work, "other", declared="another")
    assert champion_of(EVALUATION, other.digest, model, work=work) is None
    assert champion_of(EVALUATION, "gone", model, work=work) is None
    old = trained(work, "old")
    shutil.copy(old.folder / "search.json", old.folder / json.loads((old.folder / "search.json").read_text())["model"])
    assert champion_of(EVALUATION, "old", model, work=work) is None


def test_it_is_measured_on_the_same_resamples_and_the_gate_tells_better_from_worse():
    evaluation, gate = replace(lapse_evaluation, champion="lapse"), BeatsChampion("roc_auc")
    poor = Logistic(spent=-1.0, recency=0.2)
    better = measured(evaluation, MODEL, poor)
    worse = measured(evaluation, poor, MODEL)
    lead = better.baselines["champion"].lead["roc_auc"]
    assert lead.value == pytest.approx(-worse.baselines["champion"].lead["roc_auc"].value)
    assert gate.judge(better).passed
    assert gate.judge(worse).outcome == "failed"


def measured(evaluation, model, champion):
    result = run(evaluation=evaluation, predictor=model, baselines=BASELINES | {"champion": champion})
    return replace(result, evidence=replace(result.evidence, champion="old"))
