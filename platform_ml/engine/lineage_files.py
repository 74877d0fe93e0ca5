"""Which loads of which partitions a file is behind, and what became of one that is behind none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from platform_ml.engine.content import file_sha256
from platform_ml.engine.feed import feed_of, origin_of
from platform_ml.engine.quarantine import KIND as QUARANTINE
from platform_ml.origins import Files
from platform_ml.spec.errors import PlatformError, did_you_mean
from platform_ml.spec.origin import Listed
from platform_ml.spec.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from platform_ml.engine.lineage import Load, Logs
    from platform_ml.engine.platform import Work
    from platform_ml.spec.origin import Delivered
    from platform_ml.spec.project import Project


@dataclass(frozen=True, kw_only=True)
class Traced:
    """A file that was asked for."""

    path: str
    loads: tuple[Load, ...]
    """The rows that came from it, oldest first."""
    notes: tuple[str, ...]
    """Sentences: what was refused, what is there now, why nothing is known."""


def located(source: Source, key: str, file: Delivered, work: Work) -> str:
    """Where a delivered file lies in this environment, for people; of other places, where its partition is read."""
    origin, feed = origin_of(source), feed_of(source, work)
    return origin.path(feed, file.name) if isinstance(origin, Files) else origin.place(feed, key)


def trace(text: str, projects: Sequence[Project], work: Callable[[Project], Work], logs: Logs) -> Traced:
    """What a file that lies there, or lay there once, became.

    Args:
        text: a path, a path below the landing place, or the URL of a file.
        projects: whose sources are asked.
        work: of a project.
        logs: of the tables.

    Raises:
        PlatformError: no source is delivered from there; names the near miss.
    """
    loads: list[Load] = []
    notes: list[str] = []
    places: dict[str, str] = {}
    for source, at in _sources(projects, work):
        table, wanted = at.table(source), _forms(text, at)
        names: dict[str, str] = {}
        for key in _keys(table, logs):
            for load in logs.loads(table, key):
                for file in load.files:
                    path = _plain(located(source, key, file, at))
                    places[path] = table
                    if path in wanted:
                        loads.append(load)
                        names[file.name] = path
        notes += _refused(source, wanted, {file.sha256 for load in loads for file in load.files}, at)
        if names:
            notes += _there_now([load for load in loads if load.table == table][-1], names)
        elif why := _waiting(source, wanted, at):
            notes.append(why)
    if not loads and not notes:
        near = did_you_mean(next(iter(_forms(text, None))), places)
        raise PlatformError(f"No source of {', '.join(p.name for p in projects)} has ever read {text!r}.{near}")
    return Traced(path=text, loads=tuple(loads), notes=tuple(notes))


def _sources(projects: Sequence[Project], work: Callable[[Project], Work]) -> Iterator[tuple[Source, Work]]:
    for project in projects:
        at = work(project)
        yield from ((source, at) for source in project.all(Source))


def _keys(table: str, logs: Logs) -> Sequence[str]:
    snapshot = logs.of(table)
    return list(snapshot.partitions) if snapshot else []


def _plain(path: str) -> str:
    """A path that is written in one way only; URLs stay as they are."""
    return path if "://" in path else str(Path(path).absolute())


def _forms(text: str, at: Work | None) -> set[str]:
    """What somebody may have meant: a path from here, or one below the landing place."""
    found = {_plain(text)}
    if at is not None and "://" not in text:
        found.add(_plain(f"{str(at.platform.landing).rstrip('/')}/{text}"))
    return found


def _refused(source: Source, wanted: set[str], loaded: set[str], at: Work) -> list[str]:
    """Deliveries of the file that were not let in, then or ever."""
    origin = origin_of(source)
    if not isinstance(origin, Files):
        return []
    said = []
    for kept in at.platform.artifacts.versions(f"{QUARANTINE}/{at.project}/{source.name}"):
        record = kept.record
        if record["sha256"] not in loaded and _plain(origin.path(feed_of(source, at), record["name"])) in wanted:
            said.append(
                f"Refused on {record['time'][:10]}, so no model saw these {record['size']:,} bytes "
                f"(sha256 {record['sha256'][:12]}): {record['reason']}"
            )
    return said


def _there_now(last: Load, names: Mapping[str, str]) -> list[str]:
    """Whether the files that lie there are those that were loaded last."""
    if last.until is not None:
        return [f"It is behind no rows any more: partition {last.partition} was loaded again without it."]
    said = []
    for file in last.files:
        path = Path(names.get(file.name, ""))
        if file.name in names and path.is_file() and (now := file_sha256(path)) != file.sha256:
            said.append(f"What lies there now (sha256 {now[:12]}) is another file than was loaded: no model saw it.")
    return said


def _waiting(source: Source, wanted: set[str], at: Work) -> str:
    """Why a file that belongs to the source is behind no rows."""
    origin, feed = origin_of(source), feed_of(source, at)
    if not isinstance(origin, Files) or not isinstance(origin, Listed):
        return ""
    if not any(path.startswith(_plain(origin.path(feed, ""))) for path in wanted):
        return ""

    def asked(name: str) -> bool:
        return _plain(origin.path(feed, name)) in wanted

    listing, table = origin.listing(feed), at.table(source)
    for key, files in listing.partitions.items():
        if any(asked(file.name) for file in files):
            return f"It is delivered for partition {key} of {table}, which was not loaded from it: no model saw it."
    return next((f"It belongs to no partition of {table}: {why}" for n, why in listing.strays.items() if asked(n)), "")
