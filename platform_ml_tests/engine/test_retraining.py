"""What is known of a model and of what came in since: a model of a Wednesday, and the one after it."""

import json
import shutil
from dataclasses import replace

import pytest

from platform_ml import Retraining
from platform_ml.engine import evaluation as evaluations
from platform_ml.engine import training_dataset as datasets
from platform_ml.engine.retraining import collect, newest_cutoff, standpoint, waits_for
from platform_ml.spec.trigger import State
from platform_ml.triggers import Every
from platform_ml_tests.engine.shelf import champion, on_shelf, train
from platform_ml_tests.engine.shop import (
    CUTOFF,
    SHOP,
    lapse_view,
    order_history,
    work_in,
)
from platform_ml_tests.engine.test_scores import lapse

model = lapse.card.evaluation.model
BEFORE = "2024-04-03"
ALL = frozenset({"labels", "features", "performance"})


def state_of(work, reads=ALL, registration=lapse):
    return collect(registration, standpoint(registration, work=work), reads=reads, work=work)


@pytest.fixture(scope="module")
def trained(built, tmp_path_factory):
    """A model of April 3, which is in use; the outcomes of the next Wednesday are known."""
    folder = tmp_path_factory.mktemp("retraining")
    shutil.copytree(built.platform.landing.parent, folder, dirs_exist_ok=True)
    work = on_shelf(work_in(folder))
    artifact = train(work, model, BEFORE)
    dataset = datasets.load(model.dataset, BEFORE, work=work)
    result, _ = evaluations.materialize_evaluation(lapse.card.evaluation, BEFORE, dataset, artifact, work=work)
    champion(work, lapse, artifact, evaluation_digest=result.digest)
    return work


@pytest.fixture
def ready(trained, tmp_path):
    """A copy that a test may change."""
    folder = tmp_path / "retraining"
    shutil.copytree(trained.platform.landing.parent, folder)
    return on_shelf(work_in(folder), trained.platform.registry)


def test_before_anything_there_is_nothing_to_train(work):
    at = standpoint(lapse, work=on_shelf(work))
    assert (at.newest, at.trained, at.view, at.is_made) == ("", None, None, False)
    assert collect(lapse, at, reads=ALL, work=on_shelf(work)) == State()


def test_the_newest_cutoff_has_all_of_its_rows(trained):
    view = trained.platform.tables.snapshot(trained.table(lapse_view))
    assert newest_cutoff(model.dataset, view) == CUTOFF
    keys = lapse_view.label.cadence.keys()
    without = replace(view, partitions={key: one for key, one in view.partitions.items() if key != keys[-3]})
    assert newest_cutoff(model.dataset, without) == keys[-4]
    young = replace(view, partitions={key: view.partitions[key] for key in keys[:3]})
    assert newest_cutoff(model.dataset, young) == ""
    assert newest_cutoff(model.dataset, None) == ""


def test_rows_are_counted_that_the_newest_model_was_not_made_of(trained):
    view = trained.platform.tables.snapshot(trained.table(lapse_view))
    state = state_of(trained, frozenset({"labels"}))
    later = [key for key in view.partitions if key > BEFORE]
    assert (state.trained, state.newest, state.new_days) == (BEFORE, CUTOFF, 7)
    assert state.new_rows == sum(view.partitions[key].rows for key in later) > 0
    assert later == [CUTOFF]
    assert (state.drift, state.performance, state.in_use) == ({}, {}, "")


def test_the_version_in_use_is_measured_on_rows_that_it_has_never_seen(trained):
    state = state_of(trained)
    found = state.performance["roc_auc"]
    assert (state.in_use, state.known_rows) == ("lapse@1", state.new_rows)
    (published,) = trained.platform.artifacts.versions("evaluations/shop/lapse_evaluation")
    said = json.loads((published.folder / evaluations.FILE).read_text(encoding="utf-8"))
    assert found.then.value == said["splits"]["test"]["metrics"]["roc_auc"]["value"]
    assert found.now.low <= found.now.value <= found.now.high
    assert found.now != found.then
    assert set(state.performance) == {metric.name for metric in lapse.card.evaluation.metrics}
    assert state_of(trained) == state


def test_what_it_cannot_be_held_against_is_said(ready):
    (published,) = ready.platform.artifacts.versions("evaluations/shop/lapse_evaluation")
    shutil.rmtree(published.folder)
    state = state_of(ready)
    assert state.performance == {}
    assert "are not here" in state.gaps["performance"]
    assert state.drift


def test_drift_is_told_by_the_statistics_of_what_came_in_since(trained):
    found = state_of(trained, frozenset({"features"})).drift
    assert "amount_sum_28d" in found
    assert set(found) <= set(lapse_view.feature_names)
    newest = trained.platform.tables.snapshot(trained.table(order_history)).partitions
    assert max(newest) > CUTOFF  # snapshots wait for no outcome


def test_drift_of_a_dataset_that_is_gone_is_not_known(ready):
    shutil.rmtree(datasets.load(model.dataset, BEFORE, work=ready).folder)
    state = state_of(ready, frozenset({"features"}))
    assert state.drift == {}
    assert "is not here any more" in state.gaps["features"]


def test_the_same_rows_are_not_trained_on_twice(ready):
    assert not standpoint(lapse, work=ready).is_made
    before = standpoint(lapse, work=ready)
    train(ready, model, CUTOFF)
    at = standpoint(lapse, work=ready)
    assert at.is_made
    assert at.inputs == before.inputs
    assert at.basis != before.basis
    other = replace(lapse, retraining=Retraining(when=(Every(days=7),)))
    assert standpoint(other, work=ready).basis != at.basis  # a trigger is no part of the fingerprint
    state = collect(lapse, at, reads=frozenset({"labels"}), work=ready)
    assert (state.new_rows, state.new_days, state.trained) == (0, 0, CUTOFF)


def test_what_has_to_be_made_again_first_is_said(ready):
    said = waits_for(SHOP, lapse, CUTOFF, work=ready)  # these tables were written by declarations of other tests
    assert said == "11 of 11 partitions of lapse_view are stale, first 2024-01-31: its declaration changed"
