"""MLflow is down while a model is made: nothing is lost, nothing is half registered, and later all of it is there."""

import json
import shutil

import dagster as dg
import pytest
from mlflow import MlflowClient

from platform_ml import cli, tracking
from platform_ml.adapters import mlflow_store
from platform_ml.orchestration.environment import machine
from platform_ml.orchestration.tracking import KEPT, kept_runs, mlflow_health
from platform_ml.spec.errors import PlatformError
from platform_ml_tests.orchestration.shop import (
    CUTOFF,
    Checkout,
    failures,
    lapse,
    lapse_card,
    lapse_evaluation,
    lapse_model,
    shop,
)
from platform_ml_tests.orchestration.shop import key as asset_key

MODEL = [lapse_model, lapse_evaluation, lapse_card]


def metadata(checkout, noun):
    """What the newest materialization says."""
    record = checkout.instance.fetch_materializations(asset_key(noun), limit=1).records[0]
    return {name: value.value for name, value in record.asset_materialization.metadata.items()}


@pytest.fixture(scope="module")
def made(tmp_path_factory, _built):
    """The model of the shop, made while something was in MLflow's way."""
    checkout = Checkout(shutil.copytree(_built, tmp_path_factory.mktemp("down"), dirs_exist_ok=True))
    (checkout.folder / "data" / "mlflow").write_text("in the way")
    run = checkout.materialize(MODEL, partition=CUTOFF)
    assert run.success, failures(run)
    yield checkout
    checkout.instance.dispose()


@pytest.fixture
def down(made, tmp_path):
    checkout = Checkout(shutil.copytree(made.folder, tmp_path / "checkout"))
    yield checkout
    checkout.instance.dispose()


def mend(checkout):
    (checkout.folder / "data" / "mlflow").unlink()


@pytest.fixture
def command(down, monkeypatch, capsys):
    """The command line, standing in the checkout, for the shop."""
    monkeypatch.chdir(down.folder)
    monkeypatch.setattr("platform_ml.projects.PROJECTS", (shop,))
    monkeypatch.setenv("DAGSTER_HOME", str(down.folder))

    def run(*arguments):
        code = cli.main(list(arguments))
        out, err = capsys.readouterr()
        return code, out + err

    return run


def test_the_asset_says_that_its_run_is_kept(down):
    for noun in (lapse_model, lapse_evaluation):
        said = metadata(down, noun)
        assert said["mlflow_run"] == KEPT
        assert "cannot be used now" in said["tracking"]
    assert len(list((down.folder / "data" / "outbox").glob("0*"))) == 2


def test_without_a_registry_nothing_is_registered_and_the_next_attempt_is_whole(down):
    run = down.materialize([lapse], partition=CUTOFF)
    assert not run.success
    assert "MLflow at" in failures(run)
    assert "cannot be used now" in failures(run)
    mend(down)
    run = down.materialize([lapse], partition=CUTOFF)
    assert run.success, failures(run)
    store = down.platform.mlflow()
    (version,) = store.registry().versions()
    assert (version.name, version.version, version.aliases) == ("lapse", 1, ["champion"])
    assert store.tracker().waiting() == []
    model = down.work.platform.artifacts.newest(down.work.place("models", lapse_model, CUTOFF))
    assert version.run_id == store.tracker().find("shop", f"model-{model.digest}")
    again = down.materialize(MODEL, partition=CUTOFF)
    assert again.success, failures(again)
    assert metadata(down, lapse_model)["mlflow_run"] == version.run_id
    assert len(tracking_runs(store, "search")) == 1


def tracking_runs(store, kind):
    return store.tracker().runs("shop", [kind])


@pytest.fixture
def sent(down):
    mend(down)
    store = down.platform.mlflow()
    assert len(store.tracker().send().sent) == 2
    return store


def test_the_run_of_a_search_holds_all_of_what_a_run_has_to_hold(sent, down):
    (run,) = tracking_runs(sent, "search")
    client = MlflowClient(sent.uri, sent.uri)
    files = {item.path for folder in ("model", "evaluation") for item in client.list_artifacts(run.run_id, folder)}
    splits, scores = ("train", "validation", "test"), ("roc_auc", "log_loss")

    assert run.name == "sweep-xgboost"
    assert (run.tags["kind"], run.tags["candidate"], run.tags["intent"]) == ("search", "true", lapse_model.description)

    parameters = {"family", "tuner", "tuner.trials", "space.max_depth", "max_depth", "learning_rate"}
    assert parameters | {"seed", "seed.python", "seed.numpy", "seed.torch"} <= run.params.keys()
    assert run.params["architecture"].startswith("xgboost(")
    assert f"max_depth={run.params['max_depth']}" in run.params["architecture"]

    assert {"dataset", "dataset_digest", "dataset_content", "features_hash", "cutoff"} <= run.tags.keys()
    assert {"split.rule", "split.gap_days", *(f"rows.{split}" for split in splits)} <= run.params.keys()
    assert run.tags["sampling"] == "every row once"
    assert len(run.tags["preprocessing_hash"]) == 64
    (found,) = client.get_run(run.run_id).inputs.dataset_inputs
    profile = json.loads(found.dataset.profile)
    assert (found.dataset.name, found.tags[0].value) == ("shop/lapse_dataset", "training")
    assert profile["digest"] == run.tags["dataset_digest"]
    assert profile["split.rule"] == run.params["split.rule"]
    assert {
        name: profile[name] for name in ("sampling", "preprocessing_hash", "dataset_content")
    }.items() <= run.tags.items()

    assert {f"{split}_{score}" for split in splits for score in scores} <= run.metrics.keys()
    assert {"test_roc_auc_low", "test_roc_auc_high", "lead_majority_roc_auc"} <= run.metrics.keys()
    assert {"latency_p50_ms", "latency_p95_ms", "latency_p99_ms", "size_bytes"} <= run.metrics.keys()
    assert len(client.get_metric_history(run.run_id, "step_score")) > 1

    assert {"model/model.ubj", "model/search.json"} <= files
    tables = ("importance.csv", "confusion_matrix.csv", "sample_predictions.csv", "evaluation.json")
    assert {f"evaluation/{name}" for name in tables} <= files
    curves = read(down, run, "evaluation/evaluation.json")["curves"]
    assert curves

    known = {"python_version", "lock_hash", "git_commit", "git_dirty", "platform_version", "dagster_run", *machine()}
    assert known <= run.tags.keys()
    assert {"fit.device", "fit.threads", "fit.processor", "fit.platform", "fit.libraries"} <= run.tags.keys()
    assert "xgboost==" in run.tags["fit.libraries"]
    assert run.tags["mlflow.user"] == machine()["author"]
    assert run.seconds > 0


def read(checkout, run, path):
    (file,) = checkout.platform.mlflow().root.glob(f"shop/{run.run_id}/artifacts/{path}")
    return json.loads(file.read_text())


def test_its_confusion_matrix_counts_every_test_row(sent, down):
    (run,) = tracking_runs(sent, "search")
    (matrix,) = sent.root.rglob("confusion_matrix.csv")
    rows = [[int(one) for one in line.split(",")[1:]] for line in matrix.read_text().splitlines()[1:]]
    assert sum(map(sum, rows)) == run.metrics["test_rows"]


def test_baselines_and_trials_hold_what_is_theirs(sent):
    (baseline,) = tracking_runs(sent, "baseline")
    assert (baseline.name, baseline.tags["baseline"]) == ("baseline-majority", "majority")
    assert {"train_roc_auc", "validation_roc_auc", "test_roc_auc"} <= baseline.metrics.keys()
    assert (baseline.params["architecture"], baseline.params["seed"]) == ("majority()", "0")
    known = {"git_commit", "git_dirty", "lock_hash", "device", "author", "dataset_digest", "sampling", "fit.libraries"}
    assert known <= baseline.tags.keys()
    client = MlflowClient(sent.uri, sent.uri)
    assert [item.path for item in client.list_artifacts(baseline.run_id, "model")] == ["model/baseline_majority.json"]
    trials = tracking_runs(sent, "trial")
    assert len(trials) == 2
    for trial in trials:
        assert {"seed", "max_depth"} <= trial.params.keys()
        assert {"validation_roc_auc", "seconds", "step_score"} <= trial.metrics.keys()
        assert trial.tags["dataset_digest"] == baseline.tags["dataset_digest"]


def test_the_command_line_sends_and_lists(command, down):
    code, said = command("tracking")
    assert code == 1
    assert said.count("kept   ") == 2
    assert "cannot be used now" in said
    mend(down)
    assert command("tracking")[0] == 0
    assert command("tracking") == (0, "Nothing waits to be sent.\n")
    code, said = command("runs", "shop", "--metric", "roc_auc")
    assert code == 0
    lines = said.splitlines()
    assert lines[1].split()[:2] == ["sweep-xgboost", "search"]
    assert any("baseline-majority" in line for line in lines)
    assert "trial-0" in command("runs", "shop", "--trials")[1]
    code, said = command("runs", "shop", "--metric", "roc_acu")
    assert code == 1
    assert "Did you mean" in said
    code, said = command("models")
    assert code == 0
    assert said.splitlines()[1].split()[:5] == [
        "lapse_model@" + digest_of(down),
        "candidate:",
        "passed,",
        "not",
        "registered",
    ]
    run = down.materialize([lapse], partition=CUTOFF)
    assert run.success, failures(run)
    code, said = command("models", "--project", "shop")
    assert code == 0
    assert said.splitlines()[1].split()[:5] == ["lapse@1", "champion", "ready", "shop", CUTOFF]


def digest_of(checkout):
    return checkout.work.platform.artifacts.versions("models/shop/lapse_model")[0].digest[:12]


def test_notebooks_get_frames(command, down, monkeypatch):
    mend(down)
    assert command("tracking")[0] == 0
    found = tracking.runs("shop")
    assert sorted(found["name"]) == ["baseline-majority", "sweep-xgboost"]
    best = tracking.best_run("roc_auc", project="shop")
    assert best["name"] == "sweep-xgboost"
    assert best["metrics.test_roc_auc"] == found["metrics.test_roc_auc"].max()
    assert (
        tracking.best_run("log_loss", project="shop")["metrics.test_log_loss"] == found["metrics.test_log_loss"].min()
    )
    table = tracking.compare_runs(list(found["run_id"].str[:12]), project="shop")
    assert {"kind", "metrics.test_roc_auc", "params.family"} <= set(table.index)
    with pytest.raises(PlatformError, match="'zzz' is no run of 'shop'"):
        tracking.compare_runs(["zzz"], project="shop")
    assert tracking.models().empty


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
def test_the_sensor_asks_for_the_job_that_sends(down, monkeypatch):
    store = down.platform.mlflow()
    jobs = dg.Definitions(jobs=[mlflow_health(store)], sensors=[kept_runs(store)])
    sensor = kept_runs(store)

    def tick():
        context = dg.build_sensor_context(instance=down.instance, definitions=jobs)
        return sensor.evaluate_tick(context)

    assert "2 runs cannot be sent yet" in tick().skip_message
    mend(down)
    mlflow_store._client.cache_clear()
    assert len(tick().run_requests) == 1
    done = mlflow_health(store).execute_in_process(instance=down.instance)
    assert done.success
    assert store.tracker().waiting() == []
    assert tick().skip_message == "Every run was sent."
