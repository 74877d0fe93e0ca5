"""What suppliers have delivered since it was last loaded, told by the tables' commits and a listing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from platform_ml.engine import late
from platform_ml.engine.feed import feed_of, origin_of
from platform_ml.engine.fixes import inputs
from platform_ml.engine.ports import WHOLE
from platform_ml.engine.quarantine import refused, token_of
from platform_ml.origins.files import unclaimed
from platform_ml.spec.errors import SourceError
from platform_ml.spec.fingerprint import digest, fingerprint
from platform_ml.spec.origin import Listed, Surveyed
from platform_ml.spec.source import Source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import PartitionState, Snapshot
    from platform_ml.spec.origin import Delivered
    from platform_ml.spec.project import Project

Status: TypeAlias = Literal[
    "new", "changed", "vanished", "refused", "growing", "early", "awaited", "unexpected", "up to date"
]
DUE = ("new", "changed")
SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """What became of one partition's delivery, or of a name that belongs to none."""

    source: str
    """Empty for a name that belongs to no source."""
    partition: str
    """Empty for a name that belongs to no partition."""
    status: Status
    """new, changed: to be loaded. vanished: loaded from files that are there no more; its rows stay. refused: read, and
    not let in. growing: may not be whole yet. early: its partition is not over yet. awaited: over, and nothing is
    there. unexpected: belongs nowhere."""
    reason: str
    token: str = ""
    """The same as long as the delivery and the declaration are: what a run is for that loads it."""

    @property
    def due(self) -> bool:
        """Whether it is to be loaded."""
        return self.status in DUE


def arrivals(project: Project, work: Work, *, only: Source | None = None) -> list[Arrival]:
    """Every partition of every source (or of one), oldest first, and every name that belongs nowhere.

    Files are compared by name, size and stamp; only those that differ from what was loaded are read. What was loaded
    is what the newest commit says: a run that was killed before has changed nothing here.

    Raises:
        SourceError: a place of delivery cannot be reached.
    """
    found = []
    sources = list(project.all(Source))
    for source in sources if only is None else [only]:
        known = work.platform.tables.snapshot(work.table(source))
        found += _listed(source, known, work) if isinstance(origin_of(source), Listed) else _told(source, known, work)
    strays = unclaimed(work.platform.landing, project.name, sources) if only is None else {}
    return [*found, *(_unexpected("", name, why) for name, why in strays.items())]


def _unexpected(source: str, name: str, why: str) -> Arrival:
    return Arrival(source=source, partition="", status="unexpected", reason=f"{name}: {why}")


def _keys(source: Source) -> list[str]:
    return source.cadence.keys() if source.cadence else [WHOLE]


def _listed(source: Source, known: Snapshot | None, work: Work) -> list[Arrival]:
    origin = origin_of(source)
    if not isinstance(origin, Listed):
        return []
    listing, loaded = origin.listing(feed_of(source, work)), known.partitions if known else {}
    over, contents = set(_keys(source)), late.contents(known)
    found = []
    for key in sorted({*over, *loaded, *listing.partitions, *listing.growing}):
        files, state = listing.partitions.get(key, ()), loaded.get(key)
        status, reason = _absent(state) if not files else ("new", _size(files))
        if state is not None and files:
            status, reason = _compared(source, key, files, state, contents, work)
        if status in {"new", "changed", "awaited"} and key in listing.growing:
            status, reason = "growing", listing.growing[key]
        if status == "new" and key not in over:
            status, reason = "early", f"{reason}; its partition is not over yet"
        token = token_of(source, key, files) if files else ""
        if status in DUE and (why := refused(source, key, token, work)):
            status, reason = "refused", why
        found.append(Arrival(source=source.name, partition=key, status=status, reason=reason, token=token))
    return [*found, *(_unexpected(source.name, name, why) for name, why in sorted(listing.strays.items()))]


def _absent(state: PartitionState | None) -> tuple[Status, str]:
    if state is None:
        return "awaited", "nothing was delivered"
    return (
        "vanished",
        f"nothing is there any more; its {state.rows:,} rows stay (deliver a file without rows to end them)",
    )


def _compared(
    source: Source,
    key: str,
    files: Sequence[Delivered],
    state: PartitionState,
    contents: Mapping[str, str],
    work: Work,
) -> tuple[Status, str]:
    """What a delivery is to what was loaded of it."""
    origin, feed = origin_of(source), feed_of(source, work)
    if not isinstance(origin, Listed):
        return "up to date", ""
    if gone := origin.missed(feed, key, files, state.manifest):
        return "vanished", f"{gone[0]} is there no more; the {state.rows:,} rows of the partition stay"
    try:
        there = origin.digest(feed, key, files, state.manifest)
    except SourceError as error:
        return "growing", f"it changes while it is looked at: {error}"
    if late.inputs(source, key, inputs(source, key, there, work), contents) == state.inputs:
        return "up to date", _size(files)
    return "changed", _difference(files, state.manifest)


def _difference(files: Sequence[Delivered], before: Sequence[Delivered]) -> str:
    known, there = {one.name: one for one in before}, {one.name: one for one in files}
    said = [f"{name} is new" for name in there if name not in known]
    said += [f"{name} is there no more" for name in known if name not in there]
    for name in [name for name in there if name in known]:
        if there[name].size != known[name].size:
            said.append(f"{name} has {there[name].size:,} bytes, had {known[name].size:,}")
        elif there[name].stamp != known[name].stamp:
            said.append(f"{name} was written again")
    more = f" and {len(said) - SHOWN} more" if len(said) > SHOWN else ""
    if not before:
        return "its file is another one"
    return f"{', '.join(said[:SHOWN])}{more}" if said else "its fixes, or the partitions before it, changed"


def _size(files: Sequence[Delivered]) -> str:
    return f"{len(files):,} file{'s' if len(files) > 1 else ''}, {sum(one.size for one in files):,} bytes"


def _told(source: Source, known: Snapshot | None, work: Work) -> list[Arrival]:
    """Partitions of a place that cannot be listed: it is asked for each of them."""
    origin, feed, contents = origin_of(source), feed_of(source, work), late.contents(known)
    keys, loaded, found = _keys(source), known.partitions if known else {}, []
    states: Mapping[str, str] = {}
    if isinstance(origin, Surveyed):
        states = origin.states(feed, keys, {key: state.manifest for key, state in loaded.items()})
    for key in keys:
        state, there = loaded.get(key), states.get(key) or origin.state(feed, key)
        status, reason = _absent(state) if there is None else ("new", "something is there")
        if state is not None and there is not None:
            same = late.inputs(source, key, inputs(source, key, there, work), contents) == state.inputs
            status, reason = ("up to date", "") if same else ("changed", "something else is there")
        token = digest({"source": fingerprint(source), "partition": key, "state": there})[:16] if there else ""
        found.append(Arrival(source=source.name, partition=key, status=status, reason=reason, token=token))
    return found
