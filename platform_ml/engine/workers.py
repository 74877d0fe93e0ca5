"""Where the trials of a study run: in this process, or some at a time in processes of their own."""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from platform_ml.engine.attempt import run_attempt
from platform_ml.spec.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from platform_ml.engine.attempt import Attempt, Objective
    from platform_ml.spec.tuner import TriedParams

    Run = Callable[[Iterable[Attempt]], Iterator[TriedParams]]

_OBJECTIVE: list[Objective] = []
"""Of a worker: sent once, so that its data matrices are built once."""


@contextmanager
def workers(objective: Objective, parallel: int, where: str) -> Iterator[Run]:
    """A function that runs trials and yields them as they end."""
    if parallel == 1:
        yield partial(map, partial(run_attempt, objective))
        return
    # Processes that are started afresh, as a fork of a process with threads may hang.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(parallel, mp_context=context, initializer=_begin, initargs=(objective,))
    try:
        yield partial(_spread, pool, where)
    finally:
        pool.shutdown(cancel_futures=True)


def _spread(pool: ProcessPoolExecutor, where: str, attempts: Iterable[Attempt]) -> Iterator[TriedParams]:
    try:
        for done in as_completed([pool.submit(_run, attempt) for attempt in attempts]):
            yield done.result()
    except BrokenProcessPool as error:
        raise PlatformError(
            f"{where}: a process that ran a trial has ended by itself; the system may have been out of memory. Nothing "
            "was registered, and trials that ended are kept. Use a smaller `parallel` or fewer rows, then run it again."
        ) from error


def _begin(objective: Objective) -> None:
    _OBJECTIVE[:] = [objective]
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that was killed cannot send its workers home."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run(attempt: Attempt) -> TriedParams:
    return run_attempt(_OBJECTIVE[0], attempt)
