"""Whose turn it is to be the daemon of a folder; whole processes, and PostgreSQL, are in deployment/ and deploy/."""

import subprocess
import sys
from pathlib import Path

import pytest
from dagster import DagsterInstance

from platform_ml.cli import main
from platform_ml.orchestration import daemon as module
from platform_ml.orchestration.daemon import FileTurn, turn_of

HOLDER = """
import sys, time
from pathlib import Path
from platform_ml.orchestration.daemon import FileTurn
turn = FileTurn(Path(sys.argv[1]))
print(turn.take(), flush=True)
time.sleep(600)
"""


def test_the_turn_ends_with_the_process_however_that_ends(tmp_path):
    lock = tmp_path / "daemon.lock"
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, lock], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "True\n"
    turn = FileTurn(lock)
    assert not turn.take()
    holder.kill()
    holder.communicate()
    assert turn.take()
    assert turn.held()
    turn.end()


def test_an_instance_in_a_folder_has_its_turn_there(tmp_path):
    with DagsterInstance.local_temp(str(tmp_path)) as instance:
        turn = turn_of(instance)
    assert isinstance(turn, FileTurn)
    assert turn.take()
    assert list(Path(tmp_path).rglob("daemon.lock"))
    turn.end()


class Turns:
    """A turn that is had or not, time after time; `away` while the database is."""

    def __init__(self, answers):
        away = module.OperationalError("", {}, Exception("nobody there"))
        self.answers = [{"yes": True, "no": False, "away": away}[answer] for answer in answers.split()]

    def take(self):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def held(self):
        return False


def test_a_daemon_that_waits_says_so_once(monkeypatch, capsys):
    monkeypatch.setattr(module, "WATCH_SECONDS", 0)
    module._wait(Turns("no no away no yes"))
    said = capsys.readouterr().out.splitlines()
    assert ["waits until it has gone" in line for line in said] == [True, False, True]
    assert "nobody there" in said[1]


def test_a_daemon_whose_turn_was_taken_ends(monkeypatch, capsys):
    monkeypatch.setattr(module, "WATCH_SECONDS", 0)
    killed = []
    monkeypatch.setattr(module.os, "kill", lambda pid, with_what: killed.append(with_what))
    module._watch(Turns("yes away yes no"))
    assert killed == [module.signal.SIGTERM]
    assert "another daemon took over" in capsys.readouterr().out


def test_it_is_a_command(capsys):
    with pytest.raises(SystemExit):
        main(["daemon", "--help"])
    assert "--workspace" in capsys.readouterr().out
