"""MLflow that is dead, hung, locked, removed or cut off in the middle: nothing is lost, and nothing is there twice."""

import random
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from itertools import count
from pathlib import Path
from time import monotonic

import pytest
from mlflow import MlflowClient

from platform_ml.adapters.mlflow import MLflowRegistry, MLflowTracker, connect
from platform_ml.adapters.mlflow import __file__ as adapter
from platform_ml.engine.outbox import Outbox
from platform_ml.spec.errors import StoreError, UnreachableError
from platform_ml.testing.tracking import RUN, TRIAL
from platform_ml_tests.adapters.mlflow_server import Server, Wire, free_port

ROOT = Path(adapter).parents[2]
TRIALS = 3
KEY = "model-abc"
HOME = RUN.experiment


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server")).start()
    yield server
    server.kill()


@pytest.fixture
def wire(server):
    wire = Wire(server.port)
    wire.cut_after(None)
    yield wire
    wire.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """One retry less to wait for: each of these tests meets many cuts."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")


def whole(tmp_path, experiment, trials=TRIALS):
    file = tmp_path / "model.ubj"
    file.write_bytes(b"trees")
    children = [replace(TRIAL, name=f"trial-{n}", experiment=experiment) for n in range(trials)]
    return replace(
        RUN, experiment=experiment, key=KEY, part="training", children=children, artifacts={"model/model.ubj": file}
    )


def assert_there_once(client, experiment, trials=TRIALS):
    """One run of the key with everything, and each trial once."""
    home = client.get_experiment_by_name(experiment).experiment_id
    found = client.search_runs([home], max_results=1_000)
    assert {run.info.status for run in found} == {"FINISHED"}
    (parent,) = (run for run in found if run.data.tags["run_key"] == KEY)
    children = [run for run in found if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert sorted(run.info.run_name for run in children) == sorted(f"trial-{n}" for n in range(trials))
    assert len(found) == trials + 1
    for run in found:
        history = client.get_metric_history(run.info.run_id, "step_score")
        assert [(point.step, point.value) for point in history] == [(0, 0.5), (1, 0.6), (2, 0.7)]
    assert parent.data.params == {"max_depth": "3", "learning_rate": "0.1"}
    assert [item.path for item in client.list_artifacts(parent.info.run_id, "model")] == ["model/model.ubj"]
    return parent.info.run_id


def client_of(uri):
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def test_a_dead_server_costs_seconds_and_the_run_is_sent_when_it_is_back(server, tmp_path):
    outbox = Outbox(MLflowTracker(server.uri, tmp_path), tmp_path / "outbox")
    server.kill()
    began = monotonic()
    recorded = outbox.record(whole(tmp_path, "restarted"))
    (tmp_path / "model.ubj").unlink()
    outbox.record(replace(RUN, experiment="restarted-later", children=[]))
    assert monotonic() - began < 10
    assert recorded.run_id == ""
    assert f"MLflow at {server.uri} does not answer" in recorded.waits
    assert len(outbox.waiting()) == 2
    with pytest.raises(UnreachableError):
        outbox.find("restarted", KEY)

    server.start()
    sent = outbox.send()
    run_id = assert_there_once(client_of(server.uri), "restarted")
    assert next(iter(sent.sent.values())) == run_id == outbox.find("restarted", KEY)
    assert (len(sent.sent), sent.kept, outbox.waiting()) == (2, {}, [])
    assert not [path for path in (tmp_path / "outbox").iterdir() if path.is_dir()]


def test_a_hung_server_costs_seconds(server, tmp_path):
    tracker = MLflowTracker(server.uri, tmp_path)
    server.signal(signal.SIGSTOP)
    try:
        began = monotonic()
        with pytest.raises(UnreachableError, match="timed out"):
            tracker.record(RUN)
        assert monotonic() - began < 10
    finally:
        server.signal(signal.SIGCONT)
    assert tracker.find(RUN.experiment, "nothing") is None


@pytest.mark.parametrize("lose_answer", [False, True], ids=["request lost", "answer lost"])
def test_a_run_that_was_cut_off_anywhere_is_completed_and_not_doubled(server, wire, tmp_path, lose_answer):
    tracker = MLflowTracker(wire.uri, tmp_path)
    for answers in count():
        experiment = f"cut-{answers}-{lose_answer}"
        outbox = Outbox(tracker, tmp_path / experiment)
        wire.cut_after(answers, lose_answer=lose_answer)
        if not outbox.record(whole(tmp_path, experiment)).waits:
            assert answers > 5 * TRIALS
            break
        wire.cut_after(None)
        assert len(outbox.send().sent) == 1
        assert_there_once(client_of(server.uri), experiment)


@pytest.mark.parametrize("lose_answer", [False, True], ids=["request lost", "answer lost"])
def test_a_registration_that_was_cut_off_anywhere_leaves_no_half_of_a_version(server, wire, tmp_path, lose_answer):
    (tmp_path / "a").write_bytes(b"trees")
    files = {"model.ubj": tmp_path / "a", "card/card.md": tmp_path / "a"}
    run_id = MLflowTracker(server.uri, tmp_path).record(replace(RUN, children=[])).run_id
    registry, client = MLflowRegistry(wire.uri, tmp_path), client_of(server.uri)
    tags = {"model": "m", "cutoff": "2024-06-10"}

    def register(name):
        version = registry.register(name, run_id, files, tags, once=["model"])
        assert registry.promote(name, version, "champion", newest_by="cutoff")
        return version

    connect(wire.uri)
    for answers in count():
        name = f"cut-{answers}-{lose_answer}"
        wire.cut_after(answers, lose_answer=lose_answer)
        try:
            register(name)
        except UnreachableError as error:
            assert "does not answer" in str(error)  # noqa: PT017 - the last round raises nothing
        else:
            assert answers > 10
            break
        for version in client.search_model_versions(f"name = '{name}'"):
            assert version.tags == tags
            stored = server.folder / "served" / version.source.removeprefix("mlflow-artifacts:/")
            assert {path.name for path in stored.rglob("*") if path.is_file()} == {"model.ubj", "card.md"}
        wire.cut_after(None)
        version = register(name)
        (only,) = client.search_model_versions(f"name = '{name}'")
        assert (str(only.version), only.status) == (version, "READY")
        assert client.get_model_version_by_alias(name, "champion").version == only.version


@pytest.mark.parametrize("gateway", [502, 503])
def test_a_gateway_without_a_server_is_no_answer(gateway, tmp_path):
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from threading import Thread

    class Gateway(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(gateway)

        def log_message(self, *arguments):
            """Nobody reads it."""

    with HTTPServer(("127.0.0.1", 0), Gateway) as http:
        Thread(target=http.handle_request, daemon=True).start()
        with pytest.raises(UnreachableError, match=f"a gateway says {gateway}"):
            connect(f"http://127.0.0.1:{http.server_port}")


def test_a_dead_database_server_is_found_out_at_once():
    began = monotonic()
    with pytest.raises(UnreachableError, match="does not answer"):
        connect(f"postgresql://nobody@127.0.0.1:{free_port()}/mlflow")
    assert monotonic() - began < 10


@pytest.fixture
def sqlite(tmp_path):
    return f"sqlite:///{tmp_path / 'db' / 'mlflow.db'}"


def test_a_locked_database_keeps_the_run(sqlite, tmp_path):
    outbox = Outbox(MLflowTracker(sqlite, tmp_path / "artifacts"), tmp_path / "outbox")
    connect(sqlite)
    other = sqlite3.connect(sqlite.removeprefix("sqlite:///"))
    other.execute("BEGIN EXCLUSIVE")
    began = monotonic()
    assert "database is locked" in outbox.record(whole(tmp_path, HOME)).waits
    assert monotonic() - began < 10
    other.rollback()
    other.close()
    assert outbox.record(replace(RUN, experiment="next", children=[])).run_id
    assert_there_once(client_of(sqlite), HOME)


def test_a_folder_that_cannot_be_used_keeps_the_run(sqlite, tmp_path):
    (tmp_path / "db").write_text("in the way")
    outbox = Outbox(MLflowTracker(sqlite, tmp_path / "artifacts"), tmp_path / "outbox")
    assert "cannot be used now" in outbox.record(whole(tmp_path, HOME)).waits
    (tmp_path / "db").unlink()
    assert len(outbox.send().sent) == 1
    assert_there_once(client_of(sqlite), HOME)


SEND = """
import sys
from pathlib import Path
from platform_ml.adapters.mlflow import MLflowTracker
from platform_ml.engine.outbox import Outbox
print("ready", flush=True)
print(Outbox(MLflowTracker(sys.argv[1], Path(sys.argv[2])), Path(sys.argv[3])).send(), flush=True)
"""


def sender(*arguments):
    command = [sys.executable, "-c", SEND, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_a_removed_database_is_not_written_by_who_had_it_open(sqlite, tmp_path):
    artifacts = tmp_path / "artifacts"
    outbox = Outbox(MLflowTracker(sqlite, artifacts), tmp_path / "outbox")
    assert outbox.record(replace(RUN, children=[])).run_id
    for file in (tmp_path / "db").glob("mlflow.db*"):
        file.unlink()
    assert "was removed or replaced" in outbox.record(whole(tmp_path, HOME)).waits
    done = sender(sqlite, artifacts, tmp_path / "outbox")
    assert "kept={}" in done.communicate(timeout=120)[0]
    (tmp_path / "again").symlink_to(tmp_path / "db")  # under its old name this process still has the old file open
    assert_there_once(client_of(sqlite.replace("/db/", "/again/")), HOME)


def test_a_sender_that_is_killed_anywhere_is_followed_by_one_that_goes_on(sqlite, tmp_path):
    artifacts, drawn = tmp_path / "artifacts", random.Random(7)
    tracker = MLflowTracker(sqlite, artifacts)
    tracker.record(replace(RUN, experiment="first", children=[]))
    outbox = Outbox(tracker, tmp_path / "outbox")
    outbox._keep(whole(tmp_path, HOME, trials=40))
    kills = 0
    while outbox.waiting():
        process = sender(sqlite, artifacts, tmp_path / "outbox")
        process.stdout.readline()
        time.sleep(drawn.uniform(0.2, 2.0))
        kills += process.poll() is None
        process.kill() if kills < 8 else None
        process.communicate(timeout=120)
    assert kills >= 3
    assert_there_once(client_of(sqlite), HOME, trials=40)


REGISTER = """
import sys
from pathlib import Path
from platform_ml.adapters.mlflow import MLflowRegistry, connect
uri, locks, run_id, file = sys.argv[1:]
registry = MLflowRegistry(uri, Path(locks))
connect(uri)
print("ready", flush=True)
sys.stdin.readline()
for number in range(6):
    tags = {"model": f"m{number}", "cutoff": f"2024-06-{10 + number}"}
    version = registry.register("lapse", run_id, {"model.ubj": Path(file)}, tags, once=["model"])
    registry.promote("lapse", version, "champion", newest_by="cutoff")
    print(number, version, flush=True)
"""


@pytest.mark.parametrize("machines", [1, 2])
def test_two_processes_that_register_the_same_model_make_one_version(sqlite, tmp_path, machines):
    """On one machine they wait for each other; on two, which share no lock, the later version goes."""
    file = tmp_path / "model.ubj"
    file.write_bytes(b"trees")
    run_id = MLflowTracker(sqlite, tmp_path / "artifacts").record(replace(RUN, children=[])).run_id
    both = []
    for number in range(2):
        locks = tmp_path / f"artifacts-{number % machines}"
        command = [sys.executable, "-c", REGISTER, sqlite, str(locks), run_id, str(file)]
        both.append(subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
    for process in both:
        assert process.stdout.readline() == "ready\n"
    for process in both:
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate(timeout=180)[0].splitlines() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    client = client_of(sqlite)
    found = {version.tags["model"]: str(version.version) for version in client.search_model_versions("name = 'lapse'")}
    assert len(found) == len(client.search_model_versions("name = 'lapse'")) == 6
    assert {tuple(line.split()) for lines in said for line in lines} == {(m[1:], v) for m, v in found.items()}
    assert client.get_model_version_by_alias("lapse", "champion").tags["model"] == "m5"
    if machines == 1:
        assert sorted(found.values()) == ["1", "2", "3", "4", "5", "6"]


def test_what_is_refused_is_not_taken_for_an_outage(sqlite, tmp_path):
    with pytest.raises(StoreError, match="refused") as refused:
        MLflowRegistry(sqlite, tmp_path).promote("nobody", "1", "champion")
    assert not isinstance(refused.value, UnreachableError)
