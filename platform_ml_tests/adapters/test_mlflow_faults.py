"""MLflow that is dead, hung, locked, removed or cut off in the middle: nothing is lost, and nothing is there twice."""

import multiprocessing
import random
import shutil
import signal
import sqlite3
from dataclasses import replace
from itertools import count

import pytest
from mlflow import MlflowClient

from platform_ml.adapters import mlflow_answers
from platform_ml.adapters.mlflow import MLflowRegistry, MLflowTracker, connect
from platform_ml.engine.outbox import Outbox
from platform_ml.engine.promotion import take_seat
from platform_ml.spec.errors import StoreError, UnreachableError
from platform_ml.spec.stage import Actor, Stage
from platform_ml.testing.declarations import lapse
from platform_ml.testing.tracking import RUN, TRIAL, moved
from platform_ml_tests.adapters.mlflow_processes import STUCK, register, send, start
from platform_ml_tests.adapters.mlflow_server import Hung, Says, Server, Store, free_port

KEY = "model-abc"
HOME = RUN.experiment
MOST_CUTS = 60
ADA = Actor(who="ada", run="test")


@pytest.fixture(scope="module")
def store(tmp_path_factory, empty):
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(empty, folder / "mlflow.db")
    connect(f"sqlite:///{folder / 'mlflow.db'}")
    with Store(folder) as store:
        yield store


@pytest.fixture
def server(store):
    server = Server(store.folder).start()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Each of these tests meets many cuts; what answers at all answers from this very process."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")


@pytest.fixture
def hurried(monkeypatch):
    """For stores that never answer, so that nothing depends on how long somebody waits."""
    monkeypatch.setattr(mlflow_answers, "SECONDS", 0.2)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")


def whole(tmp_path, experiment, trials=1):
    file = tmp_path / "model.ubj"
    file.write_bytes(b"trees")
    children = [replace(TRIAL, name=f"trial-{n}", experiment=experiment) for n in range(trials)]
    return replace(
        RUN, experiment=experiment, key=KEY, part="training", children=children, artifacts={"model/model.ubj": file}
    )


def assert_there_once(client, experiment, trials=1, files=None):
    """One run of the key with everything, and each trial once; files may lie where only another client can see them."""
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
    assert [item.path for item in (files or client).list_artifacts(parent.info.run_id, "model")] == ["model/model.ubj"]
    return parent.info.run_id


def client_of(uri):
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


@pytest.fixture
def straight(store):
    """Past the server: what is in its database."""
    return client_of(f"sqlite:///{store.folder / 'mlflow.db'}")


def cuts(step=1):
    """(answers that pass, whether the next one is lost): lost answers at each place or at some, lost requests at some.

    A request that is lost leaves what an answer lost just before it leaves.
    """
    for answers in range(0, MOST_CUTS, step):
        yield answers, True
        if not answers % 4:
            yield answers, False


def test_a_dead_server_is_asked_once_and_the_run_is_sent_when_it_is_back(store, tmp_path):
    server = Server(store.folder)
    outbox = Outbox(MLflowTracker(server.uri, tmp_path), tmp_path / "outbox")
    recorded = outbox.record(whole(tmp_path, "restarted"))
    (tmp_path / "model.ubj").unlink()
    outbox.record(replace(RUN, experiment="restarted-later", children=[]))
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
    server.stop()


def test_a_hung_server_is_given_up_after_one_question(hurried, tmp_path):
    with Hung() as hung, pytest.raises(UnreachableError, match="timed out"):
        MLflowTracker(hung.uri, tmp_path).record(RUN)
    assert hung.asked() == 1


def test_a_server_that_hangs_after_it_said_that_it_is_well_is_asked_as_often_as_declared(hurried, server, tmp_path):
    connect(server.uri)
    server.hang_after(0)
    with pytest.raises(UnreachableError, match="does not answer"):
        MLflowTracker(server.uri, tmp_path).record(RUN)
    assert server.seen == 2  # one retry


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_server_that_only_says_that_it_is_broken_keeps_the_run(status, tmp_path):
    with Says(status) as broken:
        outbox = Outbox(MLflowTracker(broken.uri, tmp_path), tmp_path / "outbox")
        assert "does not answer" in outbox.record(replace(RUN, children=[])).waits
    assert len(outbox.waiting()) == 1


def test_a_run_that_was_cut_off_anywhere_is_completed_and_not_doubled(server, straight, tmp_path):
    tracker = MLflowTracker(server.uri, tmp_path)
    connect(server.uri)
    for answers, lose in cuts():
        experiment = f"cut-{answers}-{lose}"
        outbox = Outbox(tracker, tmp_path / experiment)
        server.cut_after(answers, lose_answer=lose)
        if not outbox.record(whole(tmp_path, experiment)).waits:
            assert answers > 8
            return
        server.cut_after(None)
        assert len(outbox.send().sent) == 1
        assert_there_once(straight, experiment, files=client_of(server.uri))
    pytest.fail("it never came to an end")


def test_a_registration_that_was_cut_off_anywhere_leaves_no_half_of_a_version(server, straight, tmp_path):
    (tmp_path / "a").write_bytes(b"trees")
    files = {"model.ubj": tmp_path / "a", "card/card.md": tmp_path / "a"}
    run_id = MLflowTracker(server.uri, tmp_path).record(replace(RUN, children=[])).run_id
    registry = MLflowRegistry(server.uri, tmp_path)
    tags = {"model": "m", "cutoff": "2024-06-10"}

    def attempt(name):
        version = registry.register(name, run_id, files, tags, once=["model"])
        assert take_seat(replace(lapse, name=name), int(version), tags["cutoff"], registry=registry, actor=ADA)
        return version

    for answers, lose in cuts(step=3):
        name = f"cut_{answers}_{str(lose).lower()}"
        server.cut_after(answers, lose_answer=lose)
        try:
            attempt(name)
        except UnreachableError as error:
            assert "does not answer" in str(error)  # noqa: PT017 - the last round raises nothing
        else:
            assert answers > 10
            return
        for version in straight.search_model_versions(f"name = '{name}'"):
            assert tags.items() <= version.tags.items()
            stored = server.folder / "served" / version.source.removeprefix("mlflow-artifacts:/")
            assert {path.name for path in stored.rglob("*") if path.is_file()} == {"model.ubj", "card.md"}
        server.cut_after(None)
        version = attempt(name)
        (only,) = straight.search_model_versions(f"name = '{name}'")
        assert (str(only.version), only.status) == (version, "READY")
        assert straight.get_model_version_by_alias(name, "champion").version == only.version
        (entry,) = registry.history(name)
        assert (entry.version, entry.after) == (int(version), Stage.CHAMPION)
    pytest.fail("it never came to an end")


@pytest.mark.parametrize("gateway", [502, 503])
def test_a_gateway_without_a_server_is_no_answer(gateway):
    with Says(gateway) as http, pytest.raises(UnreachableError, match=f"a gateway says {gateway}"):
        connect(http.uri)


def test_a_dead_database_server_is_found_out_at_once():
    with pytest.raises(UnreachableError, match="does not answer"):
        connect(f"postgresql://nobody@127.0.0.1:{free_port()}/mlflow")


def test_a_locked_database_keeps_the_run(hurried, uri, tmp_path):
    outbox = Outbox(MLflowTracker(uri, tmp_path / "artifacts"), tmp_path / "outbox")
    connect(uri)
    other = sqlite3.connect(uri.removeprefix("sqlite:///"))
    other.execute("BEGIN EXCLUSIVE")
    assert "database is locked" in outbox.record(whole(tmp_path, HOME)).waits
    other.rollback()
    other.close()
    assert outbox.record(replace(RUN, experiment="next", children=[])).run_id
    assert_there_once(client_of(uri), HOME)


def test_a_folder_that_cannot_be_used_keeps_the_run(uri, empty, tmp_path):
    shutil.rmtree(tmp_path / "mlflow")
    (tmp_path / "mlflow").write_text("in the way")
    outbox = Outbox(MLflowTracker(uri, tmp_path / "artifacts"), tmp_path / "outbox")
    assert "cannot be used now" in outbox.record(whole(tmp_path, HOME)).waits
    (tmp_path / "mlflow").unlink()
    (tmp_path / "mlflow").mkdir()
    shutil.copy(empty, tmp_path / "mlflow" / "mlflow.db")
    assert len(outbox.send().sent) == 1
    assert_there_once(client_of(uri), HOME)


def test_a_removed_database_is_not_written_by_who_had_it_open(uri, empty, tmp_path):
    artifacts = tmp_path / "artifacts"
    outbox = Outbox(MLflowTracker(uri, artifacts), tmp_path / "outbox")
    assert outbox.record(replace(RUN, children=[])).run_id
    for file in (tmp_path / "mlflow").glob("mlflow.db*"):
        file.unlink()
    assert "was removed or replaced" in outbox.record(whole(tmp_path, HOME)).waits
    shutil.copy(empty, tmp_path / "mlflow" / "mlflow.db")
    done = start(send, uri, artifacts, tmp_path / "outbox")
    done.join(STUCK)
    assert (done.exitcode, outbox.waiting()) == (0, [])
    (tmp_path / "again").symlink_to(tmp_path / "mlflow")  # under its old name this process still has the old file open
    assert_there_once(client_of(uri.replace("/mlflow/", "/again/")), HOME)


def test_a_sender_that_is_killed_anywhere_is_followed_by_one_that_goes_on(uri, tmp_path):
    artifacts, drawn = tmp_path / "artifacts", random.Random(7)
    Outbox(MLflowTracker(uri, artifacts), tmp_path / "outbox")._keep(whole(tmp_path, HOME, trials=12))
    outbox, killed = Outbox(MLflowTracker(uri, artifacts), tmp_path / "outbox"), 0
    for attempt in count():
        after = drawn.randint(3, 60) if attempt < 6 else None
        process = start(send, uri, artifacts, tmp_path / "outbox", after)
        process.join(STUCK)
        killed += process.exitcode == -signal.SIGKILL
        if not outbox.waiting():
            break
        assert process.exitcode == -signal.SIGKILL
    assert killed >= 3
    assert_there_once(client_of(uri), HOME, trials=12)


@pytest.mark.parametrize("machines", [1, 2])
def test_two_processes_that_register_the_same_model_make_one_version(uri, tmp_path, machines):
    """On one machine they wait for each other; on two, which share no lock, the later version goes."""
    file = tmp_path / "model.ubj"
    file.write_bytes(b"trees")
    run_id = MLflowTracker(uri, tmp_path / "artifacts").record(replace(RUN, children=[])).run_id
    said, together = both_sides()
    both = [
        start(register, uri, tmp_path / f"artifacts-{number % machines}", run_id, file, together, said)
        for number in range(2)
    ]
    told = {said.get(timeout=STUCK) for _ in range(12)}
    for process in both:
        process.join(STUCK)
    assert [process.exitcode for process in both] == [0, 0]
    client = client_of(uri)
    found = {version.tags["model"]: str(version.version) for version in client.search_model_versions("name = 'lapse'")}
    assert len(found) == len(client.search_model_versions("name = 'lapse'")) == 6
    assert told == set(found.items())
    assert client.get_model_version_by_alias("lapse", "champion").tags["model"] == "m5"
    if machines == 1:
        assert sorted(found.values()) == ["1", "2", "3", "4", "5", "6"]


def both_sides():
    """Where they tell, and where they wait for each other."""
    context = multiprocessing.get_context("forkserver")
    return context.Queue(), context.Barrier(2)


def test_what_is_refused_is_not_taken_for_an_outage(uri, tmp_path):
    with pytest.raises(StoreError, match="refused") as refused:
        MLflowRegistry(uri, tmp_path).enter("nobody", moved(1), after=0)
    assert not isinstance(refused.value, UnreachableError)
