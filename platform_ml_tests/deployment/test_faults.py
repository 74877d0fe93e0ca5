"""Processes that die: nothing is lost, nothing is done twice, and it is said what happened."""

import os
import signal
from contextlib import contextmanager

from platform_ml.engine.staleness import DECLARED, stale
from platform_ml.orchestration.code_server import LOST
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.source import Source
from platform_ml_tests.deployment.project import DAYS, VERSION, version


@contextmanager
def held(deployment):
    """Runs stay where they read their files."""
    (deployment.folder / "hold").touch()
    try:
        yield
    finally:
        (deployment.folder / "hold").unlink(missing_ok=True)


def once(deployment, days):
    """Each of these days was committed exactly once."""
    deployment.commits()
    snapshot = deployment.snapshot()
    wrote = {str(day): [state.run_id for state in snapshot.states(str(day))] for day in days}
    assert {day: len(runs) for day, runs in wrote.items()} == dict.fromkeys(wrote, 1), wrote


def test_a_second_daemon_waits_and_goes_on_where_the_first_was_killed_mid_tick(deployment):
    days = DAYS[:2]
    deployment.start("standby", kind="daemon")
    deployment.wait("the second daemon waits", lambda: "Another daemon is at work" in deployment.log("standby"))
    (deployment.folder / "wanted").write_text(" ".join(map(str, days)))
    deployment.wait("the tick has begun", deployment.runs)
    deployment.kill("daemon")
    deployment.processes["daemon"] = deployment.processes.pop("standby")
    deployment.wait("all runs are there", lambda: len(deployment.runs()) == len(days))
    assert {deployment.ended(run["id"]) for run in deployment.runs()} == {"SUCCESS"}
    keys = [run["tags"]["dagster/run_key"] for run in deployment.runs()]
    assert sorted(keys) == [str(day) for day in days]
    assert {run["tags"]["platform_ml/reason"] for run in deployment.runs()} == {"new_data"}
    again = deployment.launch(days[0])  # however often it is asked for: the file is the same
    assert deployment.ended(again) == "SUCCESS"
    once(deployment, days)
    status, why = deployment.wait("the other sensor has looked", lambda: deployment.tick("raising"))
    assert status == "FAILURE"
    assert "This sensor cannot look." in why


def test_a_backfill_survives_daemon_database_and_webserver_and_a_code_location_that_cannot_be_loaded(deployment):
    days = DAYS[4:7:2]
    with held(deployment):
        backfill = deployment.backfill(days)
        deployment.held(len(days))
        deployment.kill("daemon")
        if deployment.server:
            deployment.server.crash()
            deployment.server.start()
        deployment.kill("webserver")
        (deployment.folder / "broken").touch()
        for name in ("other", "webserver"):
            deployment.start(name)
        reason = deployment.wait("the other location says why", lambda: loaded(deployment, "other"))
        assert "This code cannot be loaded." in reason
        deployment.ready()
        (deployment.folder / "broken").unlink()
        deployment.kill("other")
    deployment.start("daemon")
    assert deployment.backfilled(backfill) == "COMPLETED_SUCCESS"
    assert [run["status"] for run in deployment.runs(**{"dagster/backfill": backfill})] == ["SUCCESS"] * len(days)
    once(deployment, days)


def loaded(deployment, name):
    """Why it is not, once its server has answered."""
    why = deployment.locations()[name]
    if "Could not reach" in why:
        deployment.reload(name)
        return ""
    return why.removeprefix("loading")


def test_a_worker_that_is_killed_while_the_database_is_away_fails_its_run_which_is_tried_again(deployment):
    with held(deployment):
        run = deployment.launch(DAYS[8])
        [worker] = deployment.held()
        if deployment.server:
            deployment.server.crash()
        os.kill(worker, signal.SIGKILL)
        if deployment.server:
            deployment.wait("the code server could not report it", lambda: LOST in deployment.log("deployed"))
            deployment.server.start()
        assert deployment.ended(run) == "FAILURE"
        assert "SIGKILL" in deployment.said(run)
    [again] = deployment.wait("it is tried again", lambda: deployment.runs(**{"dagster/parent_run_id": run}))
    assert deployment.ended(again["id"]) == "SUCCESS"
    once(deployment, [DAYS[8]])


def test_an_upgrade_during_a_backfill_says_which_declaration_made_what(deployment):
    old, new = (fingerprint(*version(number).all(Source)) for number in (1, 2))
    before, days = deployment.commits(), DAYS[12:15:2]
    with held(deployment):
        backfill = deployment.backfill(days)
        workers = deployment.held(len(days))
        deployment.kill("deployed")  # and with it every run that it held
        deployment.start("deployed", **{VERSION: "2"})
    assert deployment.backfilled(backfill).startswith("COMPLETED")  # failed, if it looks before they are tried again
    deployment.wait("they are tried again", lambda: {str(day) for day in days} <= set(deployment.commits()))
    dead = [run for run in deployment.runs(**{"dagster/backfill": backfill}) if run["status"] == "FAILURE"]
    assert len(dead) == len(workers)
    assert all("has no worker of this run" in deployment.said(run["id"]) for run in dead)
    once(deployment, days)
    made_by = {key: state.fingerprint for key, state in deployment.snapshot().partitions.items()}
    assert made_by == dict.fromkeys(before, old) | {str(day): new for day in days}
    why = stale(version(2), deployment.work)["orders"]
    assert {key for key, reason in why.items() if reason == DECLARED} == set(before)
    assert not {str(day) for day in days} & set(why)
