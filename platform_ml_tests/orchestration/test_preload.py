"""Steps are forked from a process that has loaded `preload`; they must not outlive their run."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

RUN = """
import multiprocessing, time
if __name__ == "__main__":
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["platform_ml.orchestration.preload"])
    step = context.Process(target=time.sleep, args=(600,))
    step.start()
    print(step.pid, flush=True)
    step.join()
"""


def is_running(pid: int) -> bool:
    try:
        stat = Path("/proc", str(pid), "stat").read_text(encoding="ascii")
    except FileNotFoundError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no signal for a parent's death")
def test_a_step_ends_when_its_run_is_killed(tmp_path):
    script = tmp_path / "run_of_one_step.py"
    script.write_text(RUN, encoding="utf-8")
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as run:
        step = int(run.stdout.readline())
        assert is_running(step)
        os.kill(run.pid, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while is_running(step) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not is_running(step)
