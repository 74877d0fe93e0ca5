"""Registered versions that are moved: by the rules, judged again, written down, and by one of those who try."""

import json
import multiprocessing
import shutil
import signal
from dataclasses import replace
from datetime import date, timedelta
from itertools import count

import pytest
from mlflow import MlflowClient

from platform_ml.adapters.mlflow import MLflowRegistry, MLflowTracker, connect
from platform_ml.engine import evaluation as evaluations
from platform_ml.engine.promotion import promote, rollback, take_seat
from platform_ml.gates import AtLeast
from platform_ml.spec.errors import Refused, StoreError
from platform_ml.spec.stage import Actor, Stage
from platform_ml.spec.waiver import Waiver
from platform_ml.testing.declarations import lapse
from platform_ml.testing.tracking import RUN, moved
from platform_ml_tests.adapters.mlflow_processes import STUCK, enter, promote_at_once, start
from platform_ml_tests.engine.test_registration import Published

ADA, BOB = Actor(who="ada", run="command line of here"), Actor(who="bob", run="Dagster run 7")
BY_HAND = replace(lapse, alias="candidate")
TOMORROW = date.today() + timedelta(days=1)  # noqa: DTZ011 - a waiver that still holds, in any zone
WAIVED = replace(
    BY_HAND,
    gates=(AtLeast(metric="roc_auc", limit=0.99),),
    waivers=(Waiver(gate="roc_auc_at_least", author="ada", reason="For the test.", expires=TOMORROW),),
)
CHALLENGER, CHAMPION, ARCHIVED = Stage.CHALLENGER, Stage.CHAMPION, Stage.ARCHIVED


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A store with three versions, none of which was ever moved."""
    home = tmp_path_factory.mktemp("filled")
    store = f"sqlite:///{home / 'mlflow.db'}", home / "artifacts"
    connect(store[0])
    run_id, registry = MLflowTracker(*store).record(replace(RUN, children=[])).run_id, MLflowRegistry(*store)
    for number in range(3):
        made = Published(
            home / f"m{number}", model=b"%d" % number, cutoff=f"2024-06-{10 + number}", registration=BY_HAND
        )
        assert made.register(registry, run_id).promoted
    return home


@pytest.fixture
def store(filled, tmp_path):
    """The same again; the files of its versions lie where they lay."""
    for file in filled.glob("mlflow.db*"):
        shutil.copy(file, tmp_path)
    return f"sqlite:///{tmp_path / 'mlflow.db'}", filled / "artifacts"


@pytest.fixture
def registry(store):
    return MLflowRegistry(*store)


@pytest.fixture
def move(registry):
    """Move a version."""

    def made(version, after=CHAMPION, *, registration=BY_HAND, actor=ADA):
        return promote(registration, version, after, registry=registry, actor=actor, why=f"{version} is better.")

    return made


def aliases(registry):
    client = MlflowClient(registry.tracking_uri, registry.tracking_uri)
    return {name: int(version) for name, version in client.get_registered_model("lapse").aliases.items()}


def stages(registry):
    return {one.version: str(one.stage) for one in registry.versions()}


def test_what_was_moved_is_known_with_who_when_why_and_from_where(registry, move):
    made = [move(1), move(2, CHALLENGER, actor=BOB), move(2), move(3, ARCHIVED)]
    assert registry.history("lapse") == made
    assert [(one.version, str(one.before), str(one.after), one.displaced) for one in made] == [
        (1, "candidate", "champion", None),
        (2, "candidate", "challenger", None),
        (2, "challenger", "champion", 1),
        (3, "candidate", "archived", None),
    ]
    assert (made[1].who, made[1].run, made[1].why) == ("bob", "Dagster run 7", "2 is better.")
    assert [one.when for one in made] == sorted(one.when for one in made)
    assert stages(registry) == {3: "archived", 2: "champion", 1: "archived"}
    assert aliases(registry) == {"champion": 2}
    assert registry.promoted("lapse", "champion")["manifest_sha256"] == made[2].manifest
    client = MlflowClient(registry.tracking_uri, registry.tracking_uri)
    assert client.get_model_version("lapse", "1").tags["stage"].startswith("archived: version 2 went from challenger")


def test_a_restart_of_mlflow_forgets_nothing(registry, move, store, tmp_path):
    move(1)
    with connect(store[0])._tracking_client.store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(tmp_path / "mlflow.db", tmp_path / "again.db")
    again = MLflowRegistry(f"sqlite:///{tmp_path / 'again.db'}", store[1])
    assert again.history("lapse") == registry.history("lapse") != []


def test_a_rollback_brings_the_previous_champion_back(registry, move):
    with pytest.raises(Refused, match="cannot be rolled back: there is no champion"):
        rollback(BY_HAND, registry=registry, actor=ADA, why="It fails.")
    move(1)
    with pytest.raises(Refused, match="version 1 is the first champion"):
        rollback(BY_HAND, registry=registry, actor=ADA, why="It fails.")
    move(2)
    made = rollback(BY_HAND, registry=registry, actor=BOB, why="It fails.")
    assert (made.version, made.displaced, made.act, made.who) == (1, 2, "rollback", "bob")
    assert stages(registry) == {3: "candidate", 2: "archived", 1: "champion"}
    assert aliases(registry) == {"champion": 1}
    # What was rolled back does not come back by itself, though its cutoff is newer; a newer model does.
    seats = [
        take_seat(lapse, version, cutoff, registry=registry, actor=ADA)
        for version, cutoff in ((2, "2024-06-11"), (3, "2024-06-12"))
    ]
    assert seats == [False, True]
    with pytest.raises(Refused, match="Make it the challenger first"):
        move(2)


def test_a_version_is_judged_again_by_the_gates_of_today(registry, move):
    stricter = replace(BY_HAND, gates=(AtLeast(metric="roc_auc", limit=0.9),))
    for after in (CHAMPION, CHALLENGER):
        with pytest.raises(Refused, match=r"Not promoted: 'lapse' did not pass its gates\. roc_auc_at_least"):
            move(1, after, registration=stricter)
    assert registry.history("lapse") == []
    move(1, ARCHIVED, registration=stricter)  # which needs no gate


def test_a_waiver_that_has_expired_promotes_and_rolls_back_nothing(registry, move):
    move(1, registration=WAIVED)
    move(2, registration=WAIVED)
    expired = replace(WAIVED, waivers=(replace(WAIVED.waivers[0], expires=date(2024, 1, 1)),))
    with pytest.raises(Refused, match=r"waiver by ada expired on 2024-01-01: remove it, or have it renewed"):
        move(3, registration=expired)
    with pytest.raises(Refused, match=r"cannot become champion again.*expired on 2024-01-01"):
        rollback(expired, registry=registry, actor=ADA, why="It fails.")
    assert stages(registry) == {3: "candidate", 2: "champion", 1: "archived"}


def test_numbers_of_another_evaluation_promote_nothing_but_may_be_rolled_back_to(registry, move):
    move(1)
    move(2)
    evaluation = replace(lapse.card.evaluation, resamples=300)
    changed = replace(BY_HAND, card=replace(lapse.card, evaluation=evaluation))
    with pytest.raises(Refused, match="evaluated by another declaration"):
        move(3, registration=changed)
    assert rollback(changed, registry=registry, actor=ADA, why="It fails.").version == 1


def test_numbers_that_were_changed_in_the_registry_promote_nothing(registry, move, filled):
    (file,) = (
        path for path in filled.glob("artifacts/**/evaluation.json") if '"cutoff": "2024-06-10"' in path.read_text()
    )
    text = file.read_text()
    plain = json.loads(text)
    plain["splits"]["test"]["metrics"]["roc_auc"] = {"value": 0.999, "low": 0.99, "high": 1.0}
    file.write_text(json.dumps(plain))
    try:
        with pytest.raises(Refused, match=rf"lapse@1 is refused: {evaluations.FILE} has .* bytes, registered were"):
            move(1)
    finally:
        file.write_text(text)
    assert registry.history("lapse") == []


def test_an_alias_that_somebody_moves_in_mlflow_makes_no_champion(registry, move):
    move(1)
    client = MlflowClient(registry.tracking_uri, registry.tracking_uri)
    client.set_registered_model_alias("lapse", "champion", "3")
    assert registry.promoted("lapse", "champion")["cutoff"] == "2024-06-10"
    assert stages(registry)[3] == "candidate"
    move(2, CHALLENGER)
    assert aliases(registry) == {"champion": 1, "challenger": 2}


def test_the_champion_from_before_there_were_histories_is_the_first_entry(registry, move):
    client = MlflowClient(registry.tracking_uri, registry.tracking_uri)
    client.delete_registered_model_tag("lapse", "platform_ml.ledger")
    client.set_registered_model_alias("lapse", "champion", "1")
    assert registry.promoted("lapse", "champion")["cutoff"] == "2024-06-10"
    with pytest.raises(Refused, match="somebody else was faster, version 1 went from candidate to champion by unknown"):
        move(2)
    move(2)
    assert [one.who for one in registry.history("lapse")] == ["unknown", "ada"]
    assert stages(registry) == {3: "candidate", 2: "champion", 1: "archived"}


def test_a_history_that_was_deleted_in_mlflow_is_said_to_be(registry, move):
    move(1)
    client = MlflowClient(registry.tracking_uri, registry.tracking_uri)
    run_id = client.get_registered_model("lapse").tags["platform_ml.ledger"]
    client.delete_run(run_id)
    with pytest.raises(StoreError, match=f"run {run_id} of experiment 'platform_registry'.*was deleted. Restore it"):
        move(2)
    client.restore_run(run_id)
    move(2)


@pytest.mark.parametrize("machines", [1, 2])
def test_of_two_processes_that_promote_at_once_one_wins_and_the_other_is_told(
    registry, store, move, tmp_path, machines
):
    move(1)
    context = multiprocessing.get_context("forkserver")
    said, both = context.Queue(), context.Barrier(2)
    processes = [
        start(promote_at_once, store[0], tmp_path / f"locks-{version % machines}", BY_HAND, version, both, said)
        for version in (2, 3)
    ]
    told = dict(said.get(timeout=STUCK) for _ in processes)
    for process in processes:
        process.join(STUCK)
    (winner,) = (version for version, what in told.items() if not isinstance(what, str))
    loser = 5 - winner
    assert f"lapse@{loser} did not become champion: somebody else was faster" in told[loser]
    assert f"version {winner} went from candidate to champion by user {winner}" in told[loser]
    assert registry.history("lapse")[1:] == [told[winner]]
    assert stages(registry) == {winner: "champion", loser: "candidate", 1: "archived"}
    assert aliases(registry) == {"champion": winner}


def test_what_somebody_else_does_to_other_versions_stops_nobody(registry, move):
    def meanwhile(_):
        move(3, ARCHIVED)

    made = promote(BY_HAND, 1, CHAMPION, registry=registry, actor=ADA, why="Better.", say=meanwhile)
    assert [one.version for one in registry.history("lapse")] == [3, 1]
    assert made.displaced is None


def test_a_promotion_that_is_killed_anywhere_was_made_or_was_not(registry, store, move):
    """Statements to the database are cut off at ever later places, until one promotion comes to its end."""
    move(1)
    killed = {False: 0, True: 0}
    for places in count(9, 23):
        history = registry.history("lapse")
        holder = history[-1].version
        entry = moved(2 if holder == 1 else 1, displaced=holder)
        process = start(enter, *store, "lapse", entry, len(history), places)
        process.join(STUCK)
        now = registry.history("lapse")
        assert now in (history, [*history, entry])
        cutoff = registry.promoted("lapse", "champion")["cutoff"]
        assert cutoff == f"2024-06-{9 + now[-1].version}"
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
        killed[now != history] += 1
    assert all(killed.values())
    assert aliases(registry) == {"champion": entry.version}
