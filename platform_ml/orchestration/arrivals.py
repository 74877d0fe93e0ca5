"""`platform-ml arrivals`: what was delivered, what of it is loaded, and what belongs nowhere."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

from platform_ml.engine.arrivals import Arrival
from platform_ml.engine.arrivals import arrivals as look
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.spec.errors import PlatformError, did_you_mean
from platform_ml.spec.naming import counted
from platform_ml.spec.source import Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.spec.project import Project

SHOWN = 10
"""Partitions of one status and source that are shown one by one."""
QUIET = ("up to date", "awaited")


def arrivals(project: Project, name: str | None, *, everything: bool, as_json: bool) -> int:
    """Print what is in the place of delivery, by source: a line for what somebody has to know, a count for the rest."""
    known = {source.name: source for source in project.all(Source)}
    if name is not None and name not in known:
        near = did_you_mean(name, known)
        raise PlatformError(f"{project.name} has no source {name!r}.{near} Known: {', '.join(known)}.")
    work = PlatformResource().work(project.name, lambda _: None)
    found = look(project, work, only=known[name] if name else None)
    if as_json:
        print(json.dumps([asdict(one) | {"due": one.due} for one in found], indent=2))
        return 0
    for source in dict.fromkeys(one.source for one in found):
        _show(project, source, [one for one in found if one.source == source], everything=everything)
    due = sum(one.due for one in found)
    print(f"To be loaded: {counted(due, 'partition')}.")
    return 0


def _show(project: Project, source: str, found: Sequence[Arrival], *, everything: bool) -> None:
    counts = Counter(one.status for one in found)
    where = f"{project.name}/{source}" if source else f"{project.name}: of no source"
    print(f"{where}: {', '.join(f'{count:,} {status}' for status, count in counts.items())}")
    shown: Counter[str] = Counter()
    for one in found:
        shown[one.status] += 1
        if everything or (one.status not in QUIET and shown[one.status] <= SHOWN):
            print(f"  {one.status:<11} {one.partition + '  ' if one.partition else ''}{one.reason}")
        elif one.status not in QUIET and shown[one.status] == SHOWN + 1:
            print(f"  {one.status:<11} ... and {counts[one.status] - SHOWN:,} more (--all shows them)")
