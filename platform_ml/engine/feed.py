"""Where the rows of a source come from, in this environment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from platform_ml.engine.retry import patiently
from platform_ml.origins import Files
from platform_ml.spec.origin import Feed, Listed, Surveyed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import PartitionState
    from platform_ml.spec.origin import Origin
    from platform_ml.spec.source import Source


def feed_of(source: Source, work: Work) -> Feed:
    """The source with what its origin has to know."""
    return Feed(project=work.project, source=source, landing=work.platform.landing)


def origin_of(source: Source) -> Origin:
    """Where it is declared to come from: the landing folder, unless it says something else."""
    return source.origin or Files()


def states_of(source: Source, loaded: Mapping[str, PartitionState], work: Work) -> dict[str, str | None]:
    """What `state_of` says of each of these loaded partitions, asked in one go where the origin can be."""
    origin, feed = origin_of(source), feed_of(source, work)

    def ask() -> dict[str, str | None]:
        if loaded and isinstance(origin, Surveyed):
            found = origin.states(feed, list(loaded), {key: state.manifest for key, state in loaded.items()})
            return {key: found.get(key) for key in loaded}
        return {key: state_of(source, key, state, work) for key, state in loaded.items()}

    return patiently(ask, f"state of {work.table(source)}", retry=source.retry, work=work)


def state_of(source: Source, key: str, loaded: PartitionState | None, work: Work) -> str | None:
    """What `Origin.state` says, without reading files that are as they were when they were loaded."""
    origin, feed = origin_of(source), feed_of(source, work)
    if loaded is None or not loaded.manifest or not isinstance(origin, Listed):
        return origin.state(feed, key)
    files = origin.files(feed, key)
    return origin.digest(feed, key, files, loaded.manifest) if files else None


def landing_file(source: Source, key: str, work: Work) -> Path:
    """Where the file of a partition is delivered, in a landing folder."""
    return Path(Files().place(feed_of(source, work), key))
