"""Where the rows of a source come from, in this environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.origins import Files
from platform_ml.spec.origin import Feed

if TYPE_CHECKING:
    from pathlib import Path

    from platform_ml.engine.platform import Work
    from platform_ml.spec.origin import Origin
    from platform_ml.spec.source import Source


def feed_of(source: Source, work: Work, scratch: Path | None = None) -> Feed:
    """The source with what its origin has to know."""
    return Feed(project=work.project, source=source, landing=work.platform.landing, scratch=scratch)


def origin_of(source: Source) -> Origin:
    """Where it is declared to come from: the landing folder, unless it says something else."""
    return source.origin or Files()


def landing_file(source: Source, key: str, work: Work) -> Path:
    """Where the file of a partition is delivered, in the landing folder."""
    return Files().file(feed_of(source, work), key)
