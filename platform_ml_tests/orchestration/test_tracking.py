import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import mlflow
import pytest
from mlflow import MlflowClient

from platform_ml.orchestration.environment import ROOT, environment
from platform_ml.orchestration.tracking import (
    HEALTH,
    LIBRARIES,
    MLflow,
    mlflow_health,
    reason_of,
    run_tags,
    tracked_job,
)
from platform_ml.spec.reason import DETAIL_TAG, REASON_TAG
from platform_ml.testing.tracking import RUN

pytestmark = [
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),  # dagster-mlflow is beta
    # dagster-mlflow touches every attribute of mlflow, the old ones too.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


@pytest.fixture
def tracking(tmp_path, monkeypatch):
    """MLflow's own state is global: it must not reach other tests."""
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_EXPERIMENT_ID", "MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    yield MLflow(tracking_uri="sqlite:///mlflow/mlflow.db", artifact_root="mlflow/artifacts")
    mlflow.end_run()
    mlflow.set_tracking_uri(None)


def runs(tracking):
    client = MlflowClient(tracking.uri, tracking.uri)
    home = client.get_experiment_by_name(HEALTH)
    assert Path(home.artifact_location.removeprefix("file://")).is_relative_to(tracking.root)
    return client.search_runs([home.experiment_id])


@dg.op(required_resource_keys={"mlflow"})
def breaks(context):
    context.resources.mlflow.log_param("before", "1")
    raise ZeroDivisionError


def test_a_good_run_ends_finished_with_the_environment(tracking, tmp_path):
    with dg.instance_for_test() as instance:
        done = mlflow_health(tracking).execute_in_process(instance=instance)
    assert done.success
    (run,) = runs(tracking)
    assert run.info.status == "FINISHED"
    assert run.data.params["lock_hash"] == environment()["lock_hash"]
    assert set(run.data.params) >= {*environment(), *LIBRARIES}
    assert run.data.tags["dagster_run_id"] == done.run_id
    assert mlflow.active_run() is None
    assert not (tmp_path / "mlruns").exists()


def test_a_failed_run_ends_failed(tracking):
    job = tracked_job("broken", breaks, tracking, "Fails.")
    with dg.instance_for_test() as instance:
        done = job.execute_in_process(instance=instance, raise_on_error=False)
    assert not done.success
    (run,) = runs(tracking)
    assert run.info.status == "FAILED"
    assert run.data.params == {"before": "1"}
    assert mlflow.active_run() is None


CODE = """
import dagster as dg
from platform_ml.orchestration.tracking import MLflow, mlflow_health, tracked_job

@dg.op(required_resource_keys={"mlflow"})
def breaks(context):
    raise ZeroDivisionError

tracking = MLflow(tracking_uri="sqlite:///mlflow/mlflow.db", artifact_root="mlflow/artifacts")
defs = dg.Definitions(jobs=[mlflow_health(tracking), tracked_job("broken", breaks, tracking, "Fails.")])
"""


def test_runs_of_the_command_line_end_as_they_should(tracking, tmp_path):
    (tmp_path / "jobs.py").write_text(CODE)
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    changes = {"DAGSTER_HOME": str(home), "PYTHONPATH": str(ROOT)}
    for job, code in (("mlflow_health", 0), ("broken", 1)):
        done = subprocess.run(
            [sys.executable, "-m", "dagster", "job", "execute", "-f", "jobs.py", "-j", job],
            cwd=tmp_path,
            env=os.environ | changes,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
    assert {run.info.run_name: run.info.status for run in runs(tracking)} == {
        "mlflow_health": "FINISHED",
        "broken": "FAILED",
    }


def test_an_asset_tells_where_its_run_came_from(tracking):
    said = {}

    @dg.asset(key=["shop", "lapse_model"], partitions_def=dg.StaticPartitionsDefinition(["2024-06-10"]))
    def model(context: dg.AssetExecutionContext, tracking: MLflow) -> None:
        said.update(run_tags(context))
        tracking.tracker().record(RUN)

    with dg.instance_for_test() as instance:
        done = dg.materialize(
            [model],
            resources={"tracking": tracking},
            partition_key="2024-06-10",
            instance=instance,
            tags={REASON_TAG: "drift", DETAIL_TAG: "2 features drifted"},
        )
    assert said.pop("dagster_job")
    assert said == {
        "dagster_run": done.run_id,
        "dagster_asset": "shop/lapse_model",
        "dagster_partition": "2024-06-10",
        REASON_TAG: "drift",
        DETAIL_TAG: "2 features drifted",
    }
    assert mlflow.active_run() is None
    assert tracking.registry().find("lapse", {}) is None
    assert reason_of(done.dagster_run._replace(tags={})) == {REASON_TAG: "manual"}


def test_relative_paths_are_those_of_the_code_location(tracking, tmp_path):
    assert tracking.uri == f"sqlite:///{tmp_path}/mlflow/mlflow.db"
    assert tracking.root == tmp_path / "mlflow" / "artifacts"
    assert MLflow(tracking_uri="http://mlflow:5000").uri == "http://mlflow:5000"


def test_loading_the_job_does_not_load_mlflow():
    statement = "import sys, platform_ml.orchestration.tracking as t; t.mlflow_health(t.MLflow())"
    code = f"{statement}; print('mlflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
