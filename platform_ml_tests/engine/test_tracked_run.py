from dataclasses import replace

import pytest

from platform_ml.engine.ports import Artifact
from platform_ml.engine.tracked_run import BASELINE, POINTS, SEARCH, STEPS, TRIAL, model_run, trial_runs
from platform_ml.engine.tuned_model import save, train
from platform_ml.families import SingleFeature
from platform_ml_tests.engine.test_tuned_model import MODEL, RECENCY, Splits, quiet

RECORD = {
    "content": "c" * 64,
    "columns": {"amount": "DOUBLE"},
    "split": {
        "rule": "By time.",
        "gap_days": 14,
        "history_days": 126,
        "splits": {name: {"rows": rows} for name, rows in (("train", 300), ("validation", 100), ("test", 50))},
    },
}
TAGS = {"cutoff": "2024-06-10", "git_commit": "abc", "git_dirty": "false", "author": "somebody", "device": "cpu"}


def told(model, folder):
    folder.mkdir()
    trained = train(model, Splits(), progress=quiet)
    save(trained, folder)
    dataset = Artifact(folder=folder, digest="d" * 64, record=RECORD)
    arguments = {"folder": folder, "dataset": dataset, "experiment": "shop", "tags": TAGS, "started": 10_000_000}
    return trained, model_run(model, trained, model_digest="m" * 64, **arguments)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    return told(MODEL, tmp_path_factory.mktemp("run") / "model")


def test_the_run_of_a_search_says_its_intent(both):
    _, run = both
    assert (run.name, run.experiment, run.key) == ("sweep-xgboost", "shop", "model-" + "m" * 64)
    assert run.tags["kind"] == SEARCH
    assert run.tags["candidate"] == "true"
    assert run.tags["intent"] == MODEL.description
    assert TAGS.items() <= run.tags.items()


def test_it_says_what_was_asked_for_and_what_was_found(both):
    trained, run = both
    assert run.params.items() >= trained.params.items()
    assert run.params["space.max_depth"] == "2 to 4"
    assert (run.params["seed"], run.params["tuner"], run.params["tuner.trials"]) == (0, "TPE", 4)
    assert run.metrics["validation_roc_auc"] == trained.score
    assert run.curves[STEPS] == trained.search.best.steps
    assert run.tags["goal.roc_auc"] == "maximize"
    assert {"model/model.ubj", "model/search.json"} <= run.artifacts.keys()
    assert run.seconds > 0


def test_it_says_which_rows_and_features(both):
    _, run = both
    (dataset,) = run.datasets
    assert (dataset.name, dataset.digest, dataset.rows) == ("shop/lapse_dataset", "d" * 64, 450)
    assert run.tags["dataset_content"] == "c" * 64
    assert len(run.tags["features_hash"]) == 64
    assert {"split.rule": "By time.", "split.gap_days": 14, "rows.train": 300}.items() <= run.params.items()


def test_trials_are_below_it_one_after_the_other(both):
    trained, run = both
    trials = [child for child in run.children if child.tags["kind"] == TRIAL]
    assert [trial.name for trial in trials] == ["trial-0", "trial-1", "trial-2", "trial-3"]
    assert [trial.curves[STEPS] for trial in trials] == [
        one.steps[:: -(-len(one.steps) // POINTS)] for one in trained.search.trials
    ]
    assert [trial.metrics["validation_roc_auc"] for trial in trials] == [one.score for one in trained.search.trials]
    assert trials[0].started == run.started
    assert [one.started for one in trials] == sorted({one.started for one in trials})
    assert all(trial.params["seed"] == MODEL.seed and trial.tags["dataset_digest"] == "d" * 64 for trial in trials)
    assert len({child.key for child in run.children}) == len(run.children)


def test_the_curve_of_a_long_trial_is_thinned_but_not_that_of_the_model(both):
    trained, _ = both
    best = replace(trained.search.best, steps=tuple(n / 1_000 for n in range(250)))
    long = replace(trained, search=replace(trained.search, trials=(best,), best=best))
    made = trial_runs(MODEL, long, key="k", experiment="shop", tags={}, started=0)
    assert (made[0].every, len(made[0].curves[STEPS]), made[0].curves[STEPS][1]) == (25, POINTS, 0.025)


def test_baselines_are_below_it_with_their_parameters(both):
    _, run = both
    found = {child.name: child for child in run.children if child.tags["kind"] == BASELINE}
    assert found.keys() == {"baseline-recency", "baseline-majority"}
    assert found["baseline-recency"].params["feature"] == RECENCY


def test_a_fit_without_ranges_is_no_sweep(tmp_path):
    _, run = told(replace(MODEL, family=SingleFeature(feature=RECENCY)), tmp_path / "model")
    assert (run.name, run.tags["kind"]) == (f"train-{SingleFeature.name}", "fit")
