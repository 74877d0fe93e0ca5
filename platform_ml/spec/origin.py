"""Where the rows of a source come from: a folder, an object store, a database."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from platform_ml.spec.source import Source


@dataclass(frozen=True, kw_only=True)
class Feed:
    """A source in its environment."""

    project: str
    source: Source
    landing: Path | str
    """The platform's place for delivered files: a folder, or the URL of one."""

    @property
    def name(self) -> str:
        """project/source."""
        return f"{self.project}/{self.source.name}"


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """One delivered file, as a table's commits remember it."""

    name: str
    """Where it lies below the place of delivery."""
    size: int
    """Bytes; of a database's table, rows."""
    stamp: str
    """Differs when it was written again: an entity tag, or a time; empty where the place knows none."""
    sha256: str = ""
    """Empty as long as nobody has read it."""
    seen: str = field(default="", compare=False)
    """How far the place had got, in all, when this was read: what `Surveyed.states` is told again."""


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What was delivered for one partition, as local files."""

    path: Path
    """The file; where there are several, the folder that their names lead from."""
    name: str
    """What people call it: the file's own name, or the table's."""
    state: str
    """What `Origin.state` says of exactly these bytes."""
    manifest: tuple[Delivered, ...] = ()
    """The files in the order that they are read; empty where a delivery is no file."""

    @property
    def files(self) -> dict[str, Path]:
        """Name → local file, in the order that they are read."""
        if len(self.manifest) > 1:
            return {one.name: self.path / one.name for one in self.manifest}
        return {self.name: self.path}


class Origin(Protocol):
    """Where a source is delivered."""

    kind: ClassVar[str]
    """A word for the asset graph, like "file" or "sql"."""

    def place(self, feed: Feed, key: str) -> str:
        """Where the partition is delivered, for people: no passwords in it. Any text will do for `key`."""
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


@runtime_checkable
class Choosy(Protocol):
    """An origin or a format that does not fit every source."""

    def check(self, source: Source) -> None:
        """Refuse a source that cannot come this way with a `DeclarationError`."""
        ...


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What lies at the place of delivery, told without reading any of it."""

    partitions: Mapping[str, tuple[Delivered, ...]] = field(default_factory=dict)
    """Partition → its files, in the order that they are read."""
    growing: Mapping[str, str] = field(default_factory=dict)
    """Partition → why it may not be whole yet."""
    strays: Mapping[str, str] = field(default_factory=dict)
    """Name → why it belongs to no partition."""


@runtime_checkable
class Listed(Protocol):
    """An origin that can say what is there without reading it."""

    def listing(self, feed: Feed) -> Listing:
        """Everything that lies there.

        Raises:
            SourceError: the place cannot be reached.
        """
        ...

    def files(self, feed: Feed, key: str) -> tuple[Delivered, ...]:
        """The files of one partition, not read either; nothing where it is not there or no file."""
        ...

    def missed(self, feed: Feed, key: str, files: Sequence[Delivered], known: Sequence[Delivered]) -> list[str]:
        """The `known` files that are there no more, and without whose rows the partition may not be loaded again."""
        ...

    def digest(self, feed: Feed, key: str, files: Sequence[Delivered], known: Sequence[Delivered] = ()) -> str:
        """The state that these listed files are in; those that are as they were when they were `known` are not read.

        Raises:
            SourceError: one of them cannot be read.
        """
        ...


@runtime_checkable
class Surveyed(Protocol):
    """An origin that tells the state of many partitions at once, cheaper than one by one."""

    def states(self, feed: Feed, keys: Sequence[str], known: Mapping[str, Sequence[Delivered]]) -> Mapping[str, str]:
        """Partition → what `Origin.state` says of it; those where nothing is are left out.

        `known` is what the table's commits remember of partitions: what was not touched since is not counted again.

        Raises:
            SourceError: the place cannot be reached.
        """
        ...
