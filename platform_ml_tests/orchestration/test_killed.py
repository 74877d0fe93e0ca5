"""A run that is killed with its command line, in a process of its own."""

import shutil
import signal
import subprocess
import sys

import dagster as dg
import pytest

from platform_ml.orchestration.killed import end_killed
from platform_ml_tests.orchestration.shop import ROOT

KILLED = """
import os, signal, dagster as dg
@dg.asset(pool="training")
def trained(): os.kill(os.getpid(), signal.SIGKILL)
with dg.DagsterInstance.get() as instance: dg.materialize([trained], instance=instance)
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    return tmp_path


def test_a_killed_run_is_ended_and_gives_its_place_back_and_a_live_one_goes_on(home):
    ran = subprocess.run([sys.executable, "-c", KILLED], check=False, capture_output=True)
    assert ran.returncode == -signal.SIGKILL
    seen = {}

    @dg.asset(pool="training")
    def alive(context):
        seen["ended"] = end_killed(context.instance)
        seen["running"] = context.run.run_id

    with dg.DagsterInstance.get() as instance:
        (dead,) = instance.get_runs()
        assert instance.event_log_storage.get_concurrency_info("training").active_run_ids == {dead.run_id}
        assert dg.materialize([alive], instance=instance).success
        assert seen["ended"] == [dead.run_id]
        assert instance.get_run_by_id(seen["running"]).status == dg.DagsterRunStatus.SUCCESS
        assert instance.get_run_by_id(dead.run_id).status == dg.DagsterRunStatus.FAILURE
        assert instance.event_log_storage.get_concurrency_info("training").active_run_ids == set()
        (failed,) = instance.all_logs(dead.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
        assert failed.dagster_event.message.endswith(" is gone: it was killed.")
