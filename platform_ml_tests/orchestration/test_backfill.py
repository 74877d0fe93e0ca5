"""`platform-ml backfill`: only what is missing or stale, and after a kill only what is left of it."""

import json
import os
import signal
import subprocess
import sys
import time
import warnings

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus
from dagster._daemon.types import DaemonHeartbeat

from platform_ml.cli import main
from platform_ml.engine.plan import plan
from platform_ml.orchestration.backfill import Backfill, Wish, as_data, show
from platform_ml.orchestration.daemon_backfill import submit
from platform_ml.orchestration.killed import PROCESS_TAG
from platform_ml.orchestration.pools import pool
from platform_ml.spec.errors import PlatformError
from platform_ml.spec.reason import REASON_TAG
from platform_ml.testing.declarations import lapse_model, orders
from platform_ml_tests.orchestration import looked_after
from platform_ml_tests.orchestration.shop import ROOT, Checkout
from platform_ml_tests.orchestration.watched import Watched, day

DAYS = 6


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A checkout with six days, one of which is no file; the code location is `looked_after`."""
    checkout = Checkout.make(tmp_path / "checkout")
    monkeypatch.chdir(checkout.folder)
    monkeypatch.setenv("DAGSTER_HOME", str(checkout.folder))
    watched = Watched(checkout.folder / "data", looked_after.shop)
    watched.put(*range(DAYS))
    watched.checkout = checkout
    yield watched
    if "instance" in vars(checkout):  # the few that need one on disk
        checkout.instance.dispose()


def fill(shop, instance=None, **wish):
    """In this process, each step in it, too."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "datetime.datetime.utcfromtimestamp", DeprecationWarning)
        wish = Wish(project=shop.project, **wish)
        return Backfill(
            wish=wish, instance=instance or shop.instance, work=shop.work, definitions=looked_after.__name__
        ).run()


def test_a_dry_run_says_what_and_why_and_runs_nothing(shop, capsys):
    wish = Wish(project=shop.project, outdated=True)
    assert show(wish, everything=False, as_json=False) == 0
    said = capsys.readouterr().out
    assert f"  1. visits, came {day(0)}...{day(5)} (6): never materialized (12)\n" in said
    assert said.endswith("1 run, 12 partitions.\n")
    show(wish, everything=True, as_json=False)
    assert f"       came {day(3)}: never materialized\n" in capsys.readouterr().out
    show(wish, everything=False, as_json=True)
    (step,) = json.loads(capsys.readouterr().out)["steps"]
    assert step["nouns"] == ["visits", "came"]
    assert step["why"]["visits"][day(0)] == "never materialized"
    assert shop.loaded() == []


def test_a_bad_file_is_said_and_the_rest_is_made(shop, capsys):
    shop.put(2, ids=())
    assert fill(shop) == 1
    said = capsys.readouterr().out
    assert shop.loaded() == [day(n) for n in (0, 1, 3, 4, 5)]
    assert shop.loaded("came") == [day(0), day(1)]
    assert "failed, run " in said
    assert f"Not made: visits {day(2)}: refused: column 'id' is missing" in said
    assert "4 partitions cannot be made yet; --dry-run says why." in said
    assert said.endswith("Made 7 partitions.\n")
    runs = shop.instance.get_runs()
    assert {run.tags[REASON_TAG] for run in runs} == {"manual"}
    assert all(run.tags[PROCESS_TAG] for run in runs)

    shop.put(2)
    assert fill(shop, limit=1) == 0
    assert shop.loaded() == [day(n) for n in range(DAYS)]
    assert len(shop.loaded("came")) == 2
    assert fill(shop) == 0
    assert len(shop.loaded("came")) == DAYS
    assert capsys.readouterr().out.endswith("Made 4 partitions.\n")
    # What is outdated is left alone, unless it is asked for.
    shop.put(4, ids=[8])
    assert fill(shop) == 0
    assert capsys.readouterr().out == "Made 0 partitions.\n"
    assert [step["nouns"] for step in as_data(Wish(project=shop.project, outdated=True).plan(shop.work))["steps"]] == [
        ["visits"],
        ["came"],
    ]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_after_a_kill_only_what_is_left_is_made(shop, capsys):
    """Killed with all its processes when the first of its runs has committed."""
    code = f"import sys; from {looked_after.__name__} import main; sys.exit(main())"
    command = [sys.executable, "-c", code]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
    environment = shop.checkout.environment | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=shop.checkout.folder, env=environment, **quiet) as ran:
        while not shop.loaded():
            assert ran.poll() is None, "it ended before it wrote anything"
            time.sleep(0.01)
        os.killpg(ran.pid, signal.SIGKILL)
    assert ran.returncode == -signal.SIGKILL
    left = [step.made for step in plan(shop.project, shop.work).steps]
    assert left == [("came",)]
    version = shop.work.platform.tables.snapshot("shop/visits").version
    (killed,) = shop.checkout.instance.get_runs()
    assert killed.status == dg.DagsterRunStatus.STARTED

    assert fill(shop, shop.checkout.instance) == 0
    assert shop.work.platform.tables.snapshot("shop/visits").version == version
    assert shop.loaded("came") == [day(n) for n in range(DAYS)]
    assert capsys.readouterr().out.endswith(f"Made {DAYS} partitions.\n")
    buried = shop.checkout.instance.get_run_by_id(killed.run_id)
    assert buried.status == dg.DagsterRunStatus.FAILURE


def test_the_daemon_gets_the_plan_as_one_backfill(shop, capsys):
    instance, found = shop.checkout.instance, Wish(project=shop.project).plan(shop.work)
    with pytest.raises(PlatformError, match="No daemon is running that could take it"):
        submit(found, instance)
    for kind in instance.get_required_daemon_types():
        instance.add_daemon_heartbeat(DaemonHeartbeat(time.time(), kind, "here", []))
    assert submit(found, instance) == 0
    (backfill,) = instance.get_backfills()
    assert backfill.status == BulkActionStatus.REQUESTED
    subset = backfill.asset_backfill_data.target_subset
    assert subset.num_partitions_and_non_partitioned_assets == 2 * DAYS
    assert backfill.tags[REASON_TAG] == "manual"
    assert submit(found, instance) == 0
    assert len(instance.get_backfills()) == 1
    assert "is making just that" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["retail", "transactoins"], "has no table or registration 'transactoins'. Did you mean 'transactions'"),
        (["retail", "--partition-range", "2017-02...2017-01"], "is no range of partitions. Write it like"),
        (["retail", "--limit", "0"], "--limit 0 would do nothing"),
        (["retail", "--all"], "--all and --json say how a plan is shown: add --dry-run"),
        (["retail", "--queue", "--limit", "3"], "--limit cannot be kept by the daemon"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments, said, capsys):
    assert main(["backfill", *arguments]) == 1
    assert said in capsys.readouterr().err


def test_what_is_heavy_has_a_pool():
    assert pool(lapse_model) == "training"
    assert pool(orders) is None
