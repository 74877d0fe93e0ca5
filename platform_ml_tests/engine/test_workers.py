import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from platform_ml.adapters.journals import SqliteJournal
from platform_ml.engine.attempt import run_attempt
from platform_ml.engine.proposals import Proposals
from platform_ml.spec.errors import PlatformError
from platform_ml.testing.tuners import Entries, Objective, Space, plain, search
from platform_ml.tuners import TPE, Median
from platform_ml_tests.architecture.files import ROOT

KILLED = """
import os, signal, sys
from pathlib import Path
from platform_ml.adapters.journals import SqliteJournal
from platform_ml.testing.tuners import search
from platform_ml_tests.engine.test_workers import TUNER, Slow

def told(trial):
    if trial.number >= 2:
        os.kill(os.getpid(), signal.SIGKILL)

search(TUNER, Slow(Path(sys.argv[1])), journal=SqliteJournal(Path(sys.argv[2])), told=told)
"""
TUNER = TPE(trials=8, startup_trials=2, parallel=2, pruner=Median(warmup_steps=4, after_trials=2))


@dataclass
class Slow:
    """Builds something once for each process, takes its time, and says where it ran."""

    folder: Path
    pauses: bool = False
    cache: dict = field(default_factory=dict)

    def __call__(self, trial):
        if "matrix" not in self.cache:
            self.cache["matrix"] = True
            with (self.folder / str(os.getpid())).open("a") as file:
                file.write("built\n")
        if self.pauses and trial.number % 2 == 0:  # the first of each pair ends last
            time.sleep(0.05)
        return Objective(steps=10)(trial)

    def __getstate__(self):
        return vars(self) | {"cache": {}}


class Deadly(Slow):
    """Ends its process with the third trial, as the system does when memory runs out."""

    def __call__(self, trial):
        if trial.number == 3:
            os._exit(9)
        return super().__call__(trial)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("workers")


@pytest.fixture(scope="module")
def parallel(folder):
    """Journal and search of trials that ran two at a time."""
    journal = Entries()
    return journal, search(TUNER, Slow(folder, pauses=True), journal=journal)


def test_timing_decides_nothing(parallel):
    drawn = Proposals.of(TUNER, Space(), name="alone", goal="maximize", seed=3, warm=None)
    alone = []
    while len(alone) < TUNER.trials:  # two at a time, and the second first
        floors = TUNER.pruner.floors(alone)
        pair = [run_attempt(Objective(steps=10), replace(one, floors=floors)) for one in reversed(drawn.ask(2))]
        drawn.tell(pair[::-1])
        alone += pair[::-1]
    assert [plain(trial) for trial in alone] == [plain(trial) for trial in parallel[1].trials]
    assert {trial.state for trial in alone} == {"finished", "stopped"}


def test_matrices_are_built_once_in_each_process(parallel, folder):
    built = {file.name: file.read_text() for file in folder.iterdir()}
    assert 1 <= len(built) <= 2
    assert str(os.getpid()) not in built
    assert set(built.values()) == {"built\n"}


def test_trials_are_told_and_remembered_in_the_order_of_their_numbers(parallel):
    journal, found = parallel
    assert [trial.number for trial in found.trials] == list(range(8))
    assert sorted(entry["trial"]["number"] for entry in journal.written) == list(range(8))


def test_a_process_that_dies_is_an_error_that_keeps_the_others(folder):
    journal = Entries()
    with pytest.raises(PlatformError, match=r"The contract: a process that ran a trial has ended by itself"):
        search(TUNER, Deadly(folder), journal=journal)
    assert {0, 1} <= {entry["trial"]["number"] for entry in journal.written}


def test_one_at_a_time_starts_no_process(folder, tmp_path):
    search(replace(TUNER, parallel=1), Slow(tmp_path))
    assert [file.name for file in tmp_path.iterdir()] == [str(os.getpid())]


def gone(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{process}/stat").read_text().rsplit(")")[-1].split()[0] == "Z"


def test_a_killed_search_leaves_no_process_and_goes_on(parallel, tmp_path):
    ran, file = tmp_path / "ran", tmp_path / "journal.sqlite"
    ran.mkdir()
    command = [sys.executable, "-c", KILLED, str(ran), str(file)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    written = [entry["trial"]["number"] for entry in SqliteJournal(file).read()]
    assert len(written) == 3
    for process in [int(file.name) for file in ran.iterdir()]:
        while not gone(process):
            time.sleep(0.01)
    resumed = search(TUNER, Slow(tmp_path), journal=SqliteJournal(file))
    assert [plain(trial) for trial in resumed.trials] == [plain(trial) for trial in parallel[1].trials]
