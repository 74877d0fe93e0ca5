"""deploy/dagster.yaml is an instance on PostgreSQL as it lies there, and else the same as that of a checkout."""

import shutil
from pathlib import Path

import pytest
import yaml
from dagster import DagsterInstance, job, op
from dagster._core.instance.ref import InstanceRef
from dagster._core.run_coordinator import QueuedRunCoordinator
from dagster_postgres import PostgresEventLogStorage, PostgresRunStorage, PostgresScheduleStorage

from platform_ml.orchestration.daemon import DatabaseTurn, turn_of
from platform_ml.orchestration.launcher import WatchfulRunLauncher
from platform_ml_tests.origins.postgres import PASSWORD, database, server

__all__ = ["database", "server"]  # fixtures
ROOT = Path(__file__).parents[2]
PRODUCTION = yaml.safe_load((ROOT / "deploy" / "dagster.yaml").read_text())
CHECKOUT = yaml.safe_load((ROOT / "dagster.yaml").read_text())


@pytest.fixture
def home(tmp_path, monkeypatch, server, database):
    """A home with the shipped file, and the variables that it asks for."""
    shutil.copy(ROOT / "deploy" / "dagster.yaml", tmp_path)
    variables = {"HOST": "127.0.0.1", "PORT": str(server.port), "DB": database, "USERNAME": "admin"}
    for name, value in (variables | {"PASSWORD": PASSWORD}).items():
        monkeypatch.setenv(f"DAGSTER_PG_{name}", value)
    monkeypatch.setenv("DAGSTER_COMPUTE_LOGS", str(tmp_path / "compute"))
    return tmp_path


@op
def hello():
    print("hello from a run")  # noqa: T201 - for the compute log


@job
def greeting():
    hello()


def test_a_run_goes_through_and_everything_is_in_the_database(home, server, database):
    with (
        DagsterInstance.from_config(str(home)) as made,
        DagsterInstance.from_ref(InstanceRef.from_dict(made.get_ref().to_dict())) as instance,
    ):
        assert isinstance(instance.run_storage, PostgresRunStorage)
        assert isinstance(instance.event_log_storage, PostgresEventLogStorage)
        assert isinstance(instance.schedule_storage, PostgresScheduleStorage)
        assert isinstance(instance.run_coordinator, QueuedRunCoordinator)
        assert isinstance(instance.run_launcher, WatchfulRunLauncher)
        assert not instance.telemetry_enabled
        run = greeting.execute_in_process(instance=instance)
        assert run.success
        assert instance.get_run_by_id(run.run_id).is_success
    [(count,)] = server.execute("SELECT count(*) FROM event_logs WHERE run_id = %s", (run.run_id,), database=database)
    assert count == len(list(run.all_events))
    assert not list(home.rglob("*.db"))
    assert any("hello from a run" in path.read_text() for path in (home / "compute").rglob("*.out"))


def test_limits_leave_a_place_for_what_a_person_starts(home):
    with DagsterInstance.from_config(str(home)) as instance:
        queue = instance.get_concurrency_config().run_queue_config
    limits = {(one["key"], one.get("value")): one["limit"] for one in queue.tag_concurrency_limits}
    assert all(limit < queue.max_concurrent_runs for limit in limits.values())
    assert {("dagster/backfill", None), ("platform_ml/reason", None)} <= limits.keys()
    assert queue.max_user_code_failure_retries * queue.user_code_failure_retry_delay >= 300


def test_a_checkout_is_no_other_deployment():
    of_production = {"storage", "compute_logs", "local_artifact_storage"}
    assert PRODUCTION.keys() - CHECKOUT.keys() == of_production
    assert CHECKOUT.keys() - PRODUCTION.keys() == {"instance_class"}
    larger = {"concurrency", "sensors", "schedules", "backfills", "run_launcher"}
    for name in PRODUCTION.keys() - of_production - larger:
        assert PRODUCTION[name] == CHECKOUT[name], name
    assert PRODUCTION["concurrency"]["pools"] == CHECKOUT["concurrency"]["pools"]


def test_no_secret_is_in_the_file():
    storage = PRODUCTION["storage"]["postgres"]["postgres_db"]
    assert {name: value for name, value in storage.items() if isinstance(value, dict) and "env" in value} == {
        name: {"env": f"DAGSTER_PG_{variable}"}
        for name, variable in {
            "hostname": "HOST",
            "port": "PORT",
            "db_name": "DB",
            "username": "USERNAME",
            "password": "PASSWORD",
        }.items()
    }


def test_one_daemon_has_its_turn_until_its_connection_ends(home, server):
    with DagsterInstance.from_config(str(home)) as instance:
        first, second = turn_of(instance), turn_of(instance)
    assert isinstance(first, DatabaseTurn)
    assert first.take()
    assert not second.take()
    assert first.held()
    server.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
    assert not first.held()
    assert second.take()
    assert not first.take()
    assert second.held()
    second.end()
    first.end()
