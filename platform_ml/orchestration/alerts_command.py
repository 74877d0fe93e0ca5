"""`platform-ml alerts`: what is open, what waits to be sent, and whether alerts arrive."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from platform_ml.orchestration.alert_sinks import book, sinks
from platform_ml.orchestration.alerts import trial
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.spec.alert import listed
from platform_ml.spec.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.engine.alerts import Problem
    from platform_ml.spec.project import Project


def show_alerts(projects: Sequence[Project], *, as_json: bool) -> int:
    """Print open problems, the worst first, and the sinks."""
    kept = book(PlatformResource())
    named = {"", *(project.name for project in projects)}  # "" is that of jobs that belong to no project
    found = [one for one in kept.problems() if one.newest.project in named]
    if as_json:
        print(json.dumps([one.to_json() for one in found], indent=1, ensure_ascii=False))
        return 0
    for problem in found:
        _show(problem)
    waiting = kept.waiting()
    for sink in sinks():
        state = waiting.get(sink.name)
        if state is None:
            print(f"{sink.name}: everything was sent.")
        else:
            lost = f", {state.lost:,} are lost" if state.lost else ""
            print(f"{sink.name}: {state.messages:,} wait{lost}. {state.fault}".rstrip())
    print(f"Open problems: {len(found):,}.")
    return 0


def send_test() -> int:
    """Send one message to every sink, past the outbox, and say which took it."""
    failed = 0
    for sink in sinks():
        try:
            sink.send(trial(), "test")
            print(f"{sink.name}: sent.")
        except PlatformError as error:
            print(f"{sink.name}: NOT sent. {error}")
            failed = 1
    return failed


def _show(problem: Problem) -> None:
    newest = problem.newest
    where = "/".join(filter(None, (newest.project, newest.asset)))
    which = listed(tuple(sorted(problem.open)))
    print(f"{newest.severity:<8}{newest.kind}: {', '.join(filter(None, (where, which)))}")
    print(f"        {newest.why}")
    print(f"        Next: {newest.step}")
    print(f"        since {problem.first:%Y-%m-%d %H:%M} UTC, {newest.link}")
