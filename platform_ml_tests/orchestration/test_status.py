"""`platform-ml status` of a shop: what is on, what the last looks said, why runs were started, what fails."""

import json
import time

import dagster as dg
import pytest
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
    SensorInstigatorData,
    TickData,
    TickStatus,
)

from platform_ml import cli
from platform_ml.orchestration.build import definitions
from platform_ml.orchestration.status import status_of
from platform_ml.spec.reason import DETAIL_TAG, REASON_TAG
from platform_ml_tests.orchestration.shop import bought_on, orders
from platform_ml_tests.orchestration.test_retraining import SHOP

DAY = "2024-02-20"


def switched_on(instance, name, *, skip="", error=None):
    """A sensor that somebody switched on, and that has looked once."""
    home = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("shop"), "__repository__")
    state = InstigatorState(
        RemoteInstigatorOrigin(home, name), InstigatorType.SENSOR, InstigatorStatus.RUNNING, SensorInstigatorData()
    )
    instance.add_instigator_state(state)
    instance.create_tick(
        TickData(
            instigator_origin_id=state.instigator_origin_id,
            selector_id=state.selector_id,
            instigator_name=name,
            instigator_type=InstigatorType.SENSOR,
            status=TickStatus.FAILURE if error else TickStatus.SKIPPED,
            timestamp=time.time(),
            skip_reason=skip or None,
            error=error,
        )
    )


@pytest.fixture
def shop(built):
    """All tables are there; then a delivery of one day was refused."""
    built.deliver(DAY, [*bought_on(DAY), bought_on(DAY)[0]])
    assert not built.materialize([orders], partition=DAY).success
    return built


def test_it_says_what_is_on_what_fails_and_what_is_stale(shop):
    switched_on(shop.instance, "shop_retraining", skip="lapse: Not yet: 0 of 28 days.")
    job = definitions([SHOP], shop.platform).resolve_job_def("shop_lapse")
    run = shop.instance.create_run_for_job(job, status=dg.DagsterRunStatus.FAILURE)
    found = status_of(SHOP, shop.platform, shop.instance)
    looks = {one.name: one for one in found.looks}
    assert {name: one.on for name, one in looks.items()} == {
        "alerts": True,
        "kept_runs": True,
        "shop_automation": False,
        "shop_new_data": False,
        "shop_retraining": True,
    }
    assert (looks["shop_retraining"].outcome, looks["shop_retraining"].says) == (
        "skipped",
        "lapse: Not yet: 0 of 28 days.",
    )
    assert (looks["shop_automation"].outcome, looks["shop_automation"].last) == ("never", "")
    blocking = {name: one for name, one in found.failing.items() if one["blocking"]}
    assert blocking == {"shop/orders:rejected": {"blocking": True, "partitions": 1, "last": DAY}}
    assert next(iter(found.failing)) in blocking
    assert found.stale["orders"] == {"its inputs changed": 1}
    assert found.stale["lapse_view"]["upstream is stale"] > 0
    (model,) = found.models
    assert model.says.startswith("It is time (new_labels: ")
    assert "is not ready: " in model.says
    assert model.last_run.startswith(f"{run.run_id[:8]} FAILURE ")
    assert {reason: runs["runs"] for reason, runs in found.runs.items()} == {"manual": 1}


def test_the_command_prints_it_for_people_and_for_programs(shop, monkeypatch, capsys):
    job = definitions([SHOP], shop.platform).resolve_job_def("shop_lapse")
    tags = {REASON_TAG: "drift", DETAIL_TAG: "3 features drifted"}
    shop.instance.create_run_for_job(job, status=dg.DagsterRunStatus.FAILURE, tags=tags)
    monkeypatch.chdir(shop.folder)
    monkeypatch.setenv("DAGSTER_HOME", str(shop.folder))
    monkeypatch.setattr("platform_ml.projects.PROJECTS", (SHOP,))
    assert cli.main(["status"]) == 0
    said = capsys.readouterr().out
    assert "  sensor   shop_automation: off, has never looked" in said
    assert "    by itself: 50 rows with a known outcome are new since the newest model. Or: " in said
    assert f"  failing  shop/orders:rejected blocks: 1 partition, last {DAY}" in said
    assert "  stale    orders: its inputs changed (1)" in said
    assert cli.main(["status", "shop", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["project"], found["runs"]["drift"]["runs"]) == ("shop", 1)
    assert found["runs"]["drift"]["last"].endswith("(drift: 3 features drifted)")
