"""A run whose worker has gone is noticed, and one that lives is left alone."""

import json
import os
import signal
import textwrap
import time
from pathlib import Path

import pytest
import yaml
from dagster import DagsterInstance, DagsterRunStatus
from dagster._core.launcher.base import WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._core.test_utils import create_run_for_test
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import PythonFileTarget

from platform_ml.orchestration.launcher import WatchfulRunLauncher

ROOT = Path(__file__).parents[2]
RUNNING, FAILED = WorkerStatus.RUNNING, WorkerStatus.FAILED
NOBODY = json.dumps({"host": "localhost", "socket": "/nonexistent/socket"})

SLEEPER = """
    import os, pathlib, time
    import dagster as dg

    @dg.op
    def sleep() -> None:
        started = pathlib.Path(__file__).with_name("pids.new")
        started.write_text(f"{os.getpid()} {os.getppid()}")
        started.rename(started.with_name("pids"))
        time.sleep(60)

    @dg.job(executor_def=dg.in_process_executor)
    def sleeper() -> None:
        sleep()
"""


@pytest.fixture
def instance(tmp_path, monkeypatch):
    settings = yaml.safe_load((ROOT / "dagster.yaml").read_text())
    settings["code_servers"] = {"wait_for_local_processes_on_shutdown": True}
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(settings))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with DagsterInstance.get() as instance:
        yield instance


@pytest.fixture
def launched(instance, tmp_path):
    """A run that sleeps, with the ids of its worker and of the code server that started it."""
    code = tmp_path / "sleeper.py"
    code.write_text(textwrap.dedent(SLEEPER))
    target = PythonFileTarget(str(code), attribute=None, working_directory=None, location_name="sleeper")
    with WorkspaceProcessContext(instance, target) as process:
        workspace = process.create_request_context()
        [repository] = workspace.code_locations[0].get_repositories().values()
        job = repository.get_full_job("sleeper")
        run = create_run_for_test(
            instance,
            "sleeper",
            remote_job_origin=job.get_remote_origin(),
            job_code_origin=job.get_python_origin(),
        )
        instance.launch_run(run.run_id, workspace)
        worker, server = pids(tmp_path / "pids")
        yield instance.get_run_by_id(run.run_id), worker, server
        for pid in (server, worker):
            if alive(pid):
                os.kill(pid, signal.SIGKILL)


def pids(file, seconds=20.0):
    until = time.monotonic() + seconds
    while not file.exists():
        assert time.monotonic() < until, "the run did not start"
        time.sleep(0.05)
    return [int(pid) for pid in file.read_text().split()]


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def statuses(instance, run, times):
    return [instance.run_launcher.check_run_worker_health(run).status for _ in range(times)]


def test_a_dead_worker_is_failed_after_three_misses_and_a_live_one_never(instance, launched):
    run, worker, server = launched
    assert run.status == DagsterRunStatus.STARTED
    assert statuses(instance, run, 4) == [RUNNING] * 4

    instance.add_run_tags(run.run_id, {**run.tags, GRPC_INFO_TAG: NOBODY})
    assert statuses(instance, run, 2) == [RUNNING] * 2
    instance.add_run_tags(run.run_id, run.tags)
    assert statuses(instance, run, 1) == [RUNNING], "an answer forgives the misses before it"
    instance.add_run_tags(run.run_id, {**run.tags, GRPC_INFO_TAG: NOBODY})
    assert statuses(instance, run, 2) == [RUNNING] * 2
    instance.add_run_tags(run.run_id, run.tags)

    os.kill(server, signal.SIGKILL)  # first, or it would report the run itself
    os.kill(worker, signal.SIGKILL)
    instance.run_launcher._missed.clear()
    assert statuses(instance, run, 3) == [RUNNING, RUNNING, FAILED]
    assert instance.get_run_by_id(run.run_id).status == DagsterRunStatus.STARTED  # monitoring decides what follows


def test_a_silent_server_has_the_time_that_is_given_to_it(instance):
    patient = WatchfulRunLauncher(misses=1, silences=4)
    patient.register_instance(instance)
    run = create_run_for_test(instance, "sleeper", status=DagsterRunStatus.STARTED, tags={GRPC_INFO_TAG: NOBODY})
    for _ in range(2):
        assert [patient.check_run_worker_health(run).status for _ in range(4)] == [RUNNING] * 3 + [FAILED]


def test_a_code_server_that_was_started_anew_does_not_know_the_run(instance, launched):
    run, _, _ = launched
    forgotten = create_run_for_test(
        instance, "sleeper", status=DagsterRunStatus.STARTED, tags={GRPC_INFO_TAG: run.tags[GRPC_INFO_TAG]}
    )
    assert statuses(instance, forgotten, 3) == [RUNNING, RUNNING, FAILED]


def test_a_run_of_a_command_line_is_left_alone(instance):
    run = create_run_for_test(instance, "sleeper", status=DagsterRunStatus.STARTED)
    assert statuses(instance, run, 5) == [RUNNING] * 5
