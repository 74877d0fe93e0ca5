"""What is to be loaded of all sources, and what cannot be: each place of delivery is asked for itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from platform_ml.engine.arrivals import arrivals
from platform_ml.engine.quarantine import refused
from platform_ml.engine.staleness import CHANGED, DECLARED, NEVER, partitions_of
from platform_ml.spec.errors import SourceError, UnreachableError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.naming import counted
from platform_ml.spec.source import Source

if TYPE_CHECKING:
    from platform_ml.engine.arrivals import Arrival
    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Snapshot
    from platform_ml.spec.project import Project

HELD = ("refused", "growing", "awaited")


@dataclass(kw_only=True)
class Survey:
    """Source → partition → ..."""

    stale: dict[str, dict[str, str]] = field(default_factory=dict)
    """Why it has to be loaded (again)."""
    tokens: dict[str, dict[str, str]] = field(default_factory=dict)
    """What it would be loaded from, where it can be."""
    held: dict[str, dict[str, str]] = field(default_factory=dict)
    """Why it cannot be loaded now, though it is stale."""
    refused: dict[str, set[str]] = field(default_factory=dict)
    """Those of them that somebody has to see to."""
    away: dict[str, str] = field(default_factory=dict)
    """Source → why its place cannot be reached, without the partitions."""
    counts: Counter[str] = field(default_factory=Counter)
    """Status → partitions."""

    @property
    def looked(self) -> str:
        """What was found, in a few words."""
        said = [f"{count:,} {status}" for status, count in self.counts.items()]
        return f"{counted(len(self.stale), 'source')}: {', '.join(said) or 'nothing was delivered'}"


def survey(project: Project, work: Work, *, settled: bool = True) -> Survey:
    """Look at every source; one whose place cannot be reached keeps what was loaded of it, and the others go on.

    Unless `settled`, what was written a moment ago is taken as it is.
    """
    found = Survey()
    for source in project.all(Source):
        known = work.platform.tables.snapshot(work.table(source))
        for kept in (found.stale, found.tokens, found.held):
            kept[source.name] = {}
        found.refused[source.name] = set()
        try:
            arrived = arrivals(project, work, only=source)
        except (SourceError, UnreachableError, OSError) as error:
            _away(source, known, str(error), found)
            continue
        for one in arrived:
            found.counts[one.status] += 1
            if one.partition:
                _take(source, one, known, found, work, settled=settled)
    return found


def _away(source: Source, known: Snapshot | None, error: str, found: Survey) -> None:
    found.away[source.name] = error
    loaded = known.partitions if known else {}
    lacking = [key for key in partitions_of(source) if key not in loaded]
    found.stale[source.name] = dict.fromkeys(lacking, NEVER)
    found.held[source.name] = dict.fromkeys(lacking, f"its place cannot be reached: {error}")
    found.refused[source.name] = set(lacking)


def _take(source: Source, one: Arrival, known: Snapshot | None, found: Survey, work: Work, *, settled: bool) -> None:
    state = known.partitions.get(one.partition) if known else None
    why, held = "", ""
    if one.due or (one.status == "growing" and one.token and not settled):
        why = NEVER if state is None else CHANGED
    elif one.status in HELD:
        why, held = NEVER if state is None else CHANGED, f"{one.status}: {one.reason}"
    elif one.status == "up to date" and state is not None and state.fingerprint != fingerprint(source):
        why, again = DECLARED, refused(source, one.partition, one.token, work)
        held = f"refused: {again}" if again else ""
    if why:
        found.stale[source.name][one.partition] = why
    if held:
        found.held[source.name][one.partition] = held
        if held.startswith("refused"):
            found.refused[source.name].add(one.partition)
    elif why:
        found.tokens[source.name][one.partition] = one.token
