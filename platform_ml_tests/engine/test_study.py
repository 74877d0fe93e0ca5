import json
import os
import random
import signal
import subprocess
import sys
from dataclasses import dataclass

from platform_ml.adapters.journals import SqliteJournal
from platform_ml.spec.tuner import TrialStopped
from platform_ml.testing.tuners import Entries, Objective, plain, search
from platform_ml.tuners import TPE, Asha
from platform_ml_tests.architecture.files import ROOT

TUNER = TPE(trials=12, startup_trials=4, pruner=Asha(first_rung=3, reduction=2))
STEPS = 12
KILLED = """
import json, sys
from pathlib import Path
from platform_ml.adapters.journals import SqliteJournal
from platform_ml.testing.tuners import Objective, search
from platform_ml_tests.engine.test_study import STEPS, TUNER, Killed

at = json.loads(sys.argv[2])
journal = SqliteJournal(Path(sys.argv[1]))
search(TUNER, Killed(objective=Objective(steps=STEPS), at=tuple(at)), journal=journal)
"""


@dataclass
class Killed:
    """An objective whose process is killed within a trial, before a step."""

    objective: Objective
    at: tuple[int, int]

    @property
    def space(self):
        return self.objective.space

    def __call__(self, trial):
        if trial.number == self.at[0]:
            trial = Watched(trial, self.at[1])
        return self.objective(trial)


@dataclass
class Watched:
    """A trial that ends its process with SIGKILL."""

    trial: object
    step: int

    @property
    def number(self):
        return self.trial.number

    def params(self, family):
        return self.trial.params(family)

    def report(self, step, score):
        if step == self.step:
            os.kill(os.getpid(), signal.SIGKILL)
        try:
            self.trial.report(step, score)
        except TrialStopped:  # pruned before it could be killed: killed all the same
            os.kill(os.getpid(), signal.SIGKILL)


def test_a_search_that_is_killed_again_and_again_finds_the_same(tmp_path):
    undisturbed = search(TUNER, Objective(steps=STEPS))
    assert {trial.state for trial in undisturbed.trials} == {"finished", "stopped"}
    draw = random.Random(7)
    points = [(number, draw.randrange(STEPS)) for number in sorted(draw.sample(range(TUNER.trials), 5))]
    file = tmp_path / "journal.sqlite"
    for point in points:
        command = [sys.executable, "-c", KILLED, str(file), json.dumps(point)]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        written = [entry["trial"]["number"] for entry in SqliteJournal(file).read()]
        assert written == list(range(point[0]))
    objective = Objective(steps=STEPS)
    resumed = search(TUNER, objective, journal=SqliteJournal(file))
    assert [plain(trial) for trial in resumed.trials] == [plain(trial) for trial in undisturbed.trials]
    assert len(objective.drawn) == TUNER.trials - points[-1][0]
    assert resumed.best.number == undisturbed.best.number


def test_a_trial_that_was_written_down_twice_counts_once():
    journal = Entries()
    whole = search(TUNER, Objective(steps=STEPS), journal=journal)
    journal.written += journal.written
    again = search(TUNER, Objective(steps=STEPS), journal=journal)
    assert [plain(trial) for trial in again.trials] == [plain(trial) for trial in whole.trials]
    assert len(journal.written) == 2 * TUNER.trials


def test_every_trial_that_ends_is_told():
    heard = []
    found = search(TUNER, Objective(steps=STEPS), told=heard.append)
    assert heard == list(found.trials)
