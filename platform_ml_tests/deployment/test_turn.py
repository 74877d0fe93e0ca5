"""Whose turn it is to be the daemon of a PostgreSQL database, which is restarted meanwhile."""

import signal
import threading
import time

import pytest

from platform_ml.orchestration import daemon
from platform_ml.orchestration.daemon import DatabaseTurn
from platform_ml_tests.deployment.harness import PATIENCE


@pytest.fixture
def turn(postgres):
    """Makes turns; all are left in the end."""
    made = []

    def new():
        made.append(DatabaseTurn(postgres.url().replace("postgresql:", "postgresql+psycopg2:")))
        return made[-1]

    yield new
    for one in made:
        one.end()


@pytest.fixture
def said(capsys, monkeypatch):
    """Waits until something was printed, and returns everything that was."""
    monkeypatch.setattr(daemon, "WATCH_SECONDS", 0.05)
    heard = []

    def until(what):
        end = time.monotonic() + PATIENCE
        while what not in "".join(heard):
            assert time.monotonic() < end, heard
            time.sleep(0.05)
            heard.append(capsys.readouterr().out)
        return "".join(heard)

    return until


def test_a_daemon_waits_for_its_turn_also_while_the_database_is_away_and_says_so_once(postgres, turn, said):
    first, second = turn(), turn()
    assert first.take()
    waiting = threading.Thread(target=daemon._wait, args=(second,), daemon=True)
    waiting.start()
    said("waits until it has gone")
    postgres.crash()
    said("The database does not answer")
    postgres.start()
    waiting.join(PATIENCE)
    assert second.held()
    assert not first.held()
    assert said("").count("waits until it has gone") == 1


def test_a_daemon_whose_turn_was_taken_while_the_database_was_away_ends(postgres, turn, said):
    first, second = turn(), turn()
    assert first.take()
    postgres.crash()
    postgres.start()
    assert second.take()

    def ends(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, ends)
    try:
        with pytest.raises(KeyboardInterrupt):
            daemon._watch(first)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert "another daemon took over" in said("another daemon took over")
