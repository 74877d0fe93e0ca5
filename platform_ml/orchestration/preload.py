"""Imported once by the process that steps are forked from, so that no step waits for these libraries.

Nothing here may start a thread or open a file: the Delta and MLflow libraries stay out for that reason.
"""

import ctypes
import os
import signal
import sys
from functools import partial

import duckdb
import pandas as pd
import pyarrow as pa

__all__ = ["duckdb", "pa", "pd"]

PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    """Ask Linux to end this process when its parent ends: a step would go on working for a run that was killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _die_with(parent: int) -> None:
    _die_with_parent()
    if os.getppid() != parent:  # it ended before it could be asked
        os.kill(os.getpid(), signal.SIGKILL)


if sys.platform == "linux" and sys.argv[0] == "-c" and "multiprocessing.forkserver" in sys.modules:
    _die_with_parent()  # its steps hold the pipe by which it would notice itself that the run is gone
    os.register_at_fork(after_in_child=partial(_die_with, os.getpid()))
