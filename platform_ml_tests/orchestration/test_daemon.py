"""Whose turn it is to be the daemon of a folder; whole processes, and PostgreSQL, are in deployment/."""

import subprocess
import sys
from pathlib import Path

import pytest
from dagster import DagsterInstance

from platform_ml.cli import main
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


def test_it_is_a_command(capsys):
    with pytest.raises(SystemExit):
        main(["daemon", "--help"])
    assert "--workspace" in capsys.readouterr().out
