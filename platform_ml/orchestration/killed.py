"""Runs whose command line was killed: nobody would ever end them, and they would keep their places in pools."""

from __future__ import annotations

import os
import socket

import dagster as dg
from dagster._core.storage.tags import GRPC_INFO_TAG

from platform_ml.orchestration.instance import LocalInstance

PROCESS_TAG = "platform_ml/process"
"""The tag of a run that a command line executes itself: host, process, and when that began."""
SLACK = 1.0
"""Seconds by which the clocks of processes and of events may differ."""


def this_process() -> str:
    """What this process is called among all processes of all machines."""
    return f"{socket.gethostname()}:{os.getpid()}:{_began(os.getpid()):.2f}"


def end_killed(instance: dg.DagsterInstance) -> list[str]:
    """End every started run whose command line is gone; their ids."""
    started = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
    return [run.run_id for run in started if bury(instance, run)]


def bury(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """End a run if its command line is gone, and give its places back; whether it was so.

    Runs that a launcher started are watched by it. Without our tag a process is known by its number alone, so only
    where everything runs on this machine.
    """
    process = _tagged(run) if PROCESS_TAG in run.tags else _by_number(instance, run)
    if process is None:
        return False
    instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
    instance.report_run_failed(run, f"The command line that ran it (process {process}) is gone: it was killed.")
    return True


def _tagged(run: dg.DagsterRun) -> str | None:
    """The process of a run that is no more, by the tag."""
    host, process, began = run.tags[PROCESS_TAG].rsplit(":", 2)
    return process if host == socket.gethostname() and f"{_began(int(process)):.2f}" != began else None


def _by_number(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str | None:
    """The process of a run that is no more, by the event of its start: one that began later is another one."""
    if not isinstance(instance, LocalInstance) or GRPC_INFO_TAG in run.tags:
        return None
    for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_START):
        process = entry.dagster_event.pid if entry.dagster_event else None
        if process and not 0 < _began(process) <= entry.timestamp + SLACK:
            return str(process)
    return None


def _began(process: int) -> float:
    """When a process began, in seconds since 1970; 0 if there is none."""
    import psutil

    try:
        found = psutil.Process(process)
        return 0.0 if found.status() == psutil.STATUS_ZOMBIE else found.create_time()
    except psutil.Error:
        return 0.0
