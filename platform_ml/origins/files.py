"""Files in the landing folder."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import file_digest
from typing import TYPE_CHECKING, ClassVar

from platform_ml.spec.errors import SourceError
from platform_ml.spec.origin import Fetched

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from platform_ml.spec.origin import Feed


@dataclass(frozen=True, kw_only=True)
class Files:
    """One file per partition: `<landing>/<project>/<source>/<key><suffix>`, or `<source><suffix>` without a cadence."""

    kind: ClassVar[str] = "file"

    def file(self, feed: Feed, key: str) -> Path:
        """Where the file of a partition is delivered."""
        folder, source = feed.landing / feed.project, feed.source
        suffix = source.format.suffix if source.format else ""
        return folder / f"{source.name}{suffix}" if source.cadence is None else folder / source.name / f"{key}{suffix}"

    def place(self, feed: Feed, key: str) -> str:
        """The path of the file."""
        return str(self.file(feed, key))

    def state(self, feed: Feed, key: str) -> str | None:
        """The sha256 of the file."""
        file = self.file(feed, key)
        return _sha256(file) if file.is_file() else None

    @contextmanager
    def fetch(self, feed: Feed, key: str) -> Iterator[Fetched]:
        """The file itself; `SourceError` when it is not there, leads out of the folder, or is still written."""
        file = self.file(feed, key)
        where = f"{feed.name}, partition {key}: {file}"
        if not file.is_file():
            raise SourceError(
                f"{where} was not delivered. Ask the supplier for it, put it there (a day without "
                "business is a file with no rows) and materialize the partition again."
            )
        if not file.resolve().is_relative_to(feed.landing.resolve()):
            raise SourceError(
                f"{where} is a link that leads out of the landing zone. Have the file itself delivered; nothing was "
                "read."
            )
        before = _stamp(file)
        yield Fetched(path=file, name=file.name, state=_sha256(file))
        if _stamp(file) != before:
            raise SourceError(
                f"{where} cannot be read: it was written while it was read. Wait until it is whole and materialize the "
                "partition again; earlier data was not touched."
            )


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return file_digest(opened, "sha256").hexdigest()


def _stamp(file: Path) -> tuple[int, int, int]:
    found = file.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns
