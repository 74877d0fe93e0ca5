"""A code server looks after its runs also when its database was away for a while.

Dagster's thread that notices dead workers ends for good at its first error. From then on the code server would say of
every worker that it lives, and a run whose worker was killed would stay STARTED for ever, with its place in pools.
"""

from __future__ import annotations

import logging
import sys
from functools import wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

SERVER, SERVER_CLASS, CHECK = "dagster._grpc.server", "DagsterApiServer", "_check_for_orphaned_runs"
LOST = "could not look after its runs, and tries again"


def keep_looking() -> None:
    """Let the code server of this process, where it is one, go on after an error; once is enough."""
    server = getattr(sys.modules.get(SERVER), SERVER_CLASS, None)
    if server is not None and not hasattr(getattr(server, CHECK), "__wrapped__"):
        setattr(server, CHECK, _patient(getattr(server, CHECK)))


def _patient(check: Callable[[Any], None]) -> Callable[[Any], None]:
    @wraps(check)
    def patient(server: Any) -> None:
        try:
            check(server)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next look may go well
            logging.getLogger("dagster.code_server").warning("This code server %s: %s", LOST, error)

    return patient
