"""The dagster.yaml of the repository is a real, small deployment that keeps to its folder."""

import shutil
from pathlib import Path

import pytest
import yaml
from dagster import DagsterInstance
from dagster._core.instance.ref import InstanceRef

from platform_ml.orchestration.event_log import KeptOpenSqliteEventLogStorage
from platform_ml.orchestration.instance import LocalInstance
from platform_ml.orchestration.launcher import WatchfulRunLauncher

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "checkout"
    home.mkdir()
    shutil.copy(ROOT / "dagster.yaml", home)
    return home


def test_everything_lies_below_data_dagster_wherever_one_stands(home, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    with DagsterInstance.from_config(str(home)) as instance:
        assert isinstance(instance, LocalInstance)
        assert isinstance(instance.event_log_storage, KeptOpenSqliteEventLogStorage)
        assert isinstance(instance.run_launcher, WatchfulRunLauncher)
        assert instance.run_launcher.supports_check_run_worker_health
        instance.wipe()
        assert Path(instance.storage_directory()).is_relative_to(home / "data" / "dagster")
        assert instance.compute_log_manager._base_dir.startswith(str(home / "data" / "dagster"))
    assert [path.name for path in elsewhere.iterdir()] == []
    assert {path.name for path in home.iterdir()} == {"dagster.yaml", "data"}
    assert {path.name for path in (home / "data").iterdir()} == {"dagster"}
    assert {path.name for path in (home / "data" / "dagster").iterdir()} == {"history", "schedules"}


def test_another_process_gets_the_same_instance(home):
    with (
        DagsterInstance.from_config(str(home)) as instance,
        DagsterInstance.from_ref(InstanceRef.from_dict(instance.get_ref().to_dict())) as again,
    ):
        assert isinstance(again, LocalInstance)
        assert again.event_log_storage._base_dir == instance.event_log_storage._base_dir


def test_what_a_deployment_must_have_is_switched_on(home):
    with DagsterInstance.from_config(str(home)) as instance:
        assert not instance.telemetry_enabled
        assert not instance.nux_enabled
        assert instance.run_monitoring_enabled
        assert instance.run_retries_enabled
        assert not instance.run_retries_retry_on_asset_or_op_failure
        assert instance.get_settings("freshness") == {"enabled": True}
        assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 2
        assert set(instance.get_settings("retention")) == {"schedule", "sensor", "auto_materialize"}


def test_a_storage_named_in_the_file_wins(home, tmp_path):
    settings = yaml.safe_load((home / "dagster.yaml").read_text())
    settings["storage"] = {"sqlite": {"base_dir": str(tmp_path / "other")}}
    (home / "dagster.yaml").write_text(yaml.safe_dump(settings))
    with DagsterInstance.from_config(str(home)) as instance:
        assert not isinstance(instance.event_log_storage, KeptOpenSqliteEventLogStorage)
        assert instance.get_runs_count() == 0
    assert (tmp_path / "other" / "history" / "runs.db").exists()
