"""Where the rows of a source come from: a folder, an object store, a database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from platform_ml.spec.source import Source


@dataclass(frozen=True, kw_only=True)
class Feed:
    """A source in its environment."""

    project: str
    source: Source
    landing: Path
    """The platform's folder for delivered files."""

    @property
    def name(self) -> str:
        """project/source."""
        return f"{self.project}/{self.source.name}"


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What was delivered for one partition, as a local file."""

    path: Path
    name: str
    """What people call it: the file's own name, or the table's."""
    state: str
    """What `Origin.state` says of exactly these bytes."""


class Origin(Protocol):
    """Where a source is delivered."""

    kind: ClassVar[str]
    """A word for the asset graph, like "file" or "sql"."""

    def place(self, feed: Feed, key: str) -> str:
        """Where the partition is delivered, for people: no passwords in it."""
        ...

    def state(self, feed: Feed, key: str) -> str | None:
        """A digest of what is delivered there now, told without reading more than needed; None where nothing is."""
        ...

    def fetch(self, feed: Feed, key: str) -> AbstractContextManager[Fetched]:
        """What is delivered there now, for as long as it is read.

        Raises:
            SourceError: nothing is there, it cannot be fetched, or, when the context ends, it changed meanwhile.
        """
        ...
