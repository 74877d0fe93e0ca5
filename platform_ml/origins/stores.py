"""Places that files lie in: folders on the disk, and whatever fsspec knows by its URL."""

from __future__ import annotations

import re
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import file_digest
from pathlib import Path, PurePosixPath
from stat import S_ISDIR, S_ISREG
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from platform_ml.spec.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

T = TypeVar("T")
FOLDER = "is a folder"
ODD = "is no file"
NOWHERE = "is a link that leads nowhere"
OUTSIDE = "is a link that leads out of the landing zone"
EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs", "http": "http", "https": "http"}
"""Protocol → what to install platform_ml with to have it."""
TAGS = ("ETag", "etag", "md5Hash", "content_md5", "generation")
"""What stores say of the bytes of an object, the best first; others say only when it was written."""
TIMES = ("LastModified", "last_modified", "updated", "mtime", "created")
SECRETS = re.compile(r"(?<=//)[^/@\s'\"]+@|\?[^\s'\"]+")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Something that lies in a store."""

    name: str
    """Below the store's root, with slashes."""
    size: int = 0
    stamp: str = ""
    written: float | None = None
    """When it was last seen to be written, in seconds since 1970."""
    odd: str = ""
    """Why it is no file; empty for a file."""


class Store(Protocol):
    """A place that files lie in."""

    def listed(self, folder: str) -> list[Entry]:
        """What lies directly in a folder below the root, by name; nothing where there is no such folder."""
        ...

    def found(self, name: str) -> Entry | None:
        """What has this name."""
        ...

    copies: ClassVar[bool]
    """Whether files are read from copies, which nobody else can change."""

    def local(self, entries: Sequence[Entry]) -> AbstractContextManager[Path]:
        """A context in which these files lie in a local folder under their names."""
        ...

    def put(self, file: Path, name: str) -> None:
        """Add a file, which is there in whole or not at all."""
        ...


def store(root: Path | str, within: Path | str) -> Store:
    """The place of this path or URL; links may not lead out of `within`."""
    text = str(root)
    if "://" not in text or text.startswith(("file://", "local://")):
        return Folder(root=_path(text), within=_path(str(within)))
    return Remote(url=text)


def place(text: str) -> Path | str:
    """A landing place: a folder, or a URL without user, password and query.

    Raises:
        SourceError: it has them.
    """
    if shown(text) != text:
        raise SourceError(
            f"The landing place {shown(text)} holds a password or a query, which everybody would see. Name the place "
            "alone, and put credentials into variables like AWS_ACCESS_KEY_ID."
        )
    return text if "://" in text else Path(text).resolve()


def _path(text: str) -> Path:
    return Path(text.split("://", 1)[-1])


def shown(place: str) -> str:
    """A URL as people may see it: without user, password and query."""
    scheme, sign, rest = place.partition("://")
    if not sign:
        return place
    host, slash, path = rest.partition("?")[0].partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def hidden(message: str) -> str:
    """A message of some library without what a URL in it may give away."""
    return SECRETS.sub("", message)


def sha256(file: Path) -> str:
    """The hash of a local file."""
    with file.open("rb") as opened:
        return file_digest(opened, "sha256").hexdigest()


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A folder on the disk: its files are read where they lie."""

    root: Path
    within: Path
    copies: ClassVar[bool] = False

    def listed(self, folder: str) -> list[Entry]:
        path = self.root / folder
        if not path.is_dir():
            return []
        zone = self._zone if path.resolve().is_relative_to(self._zone) else None
        try:
            names = sorted(file.name for file in path.iterdir())
        except OSError as error:
            raise SourceError(f"{path} cannot be read ({error.strerror}). Mend the folder.") from error
        return [self._entry(f"{folder}/{name}" if folder else name, zone) for name in names]

    def found(self, name: str) -> Entry | None:
        path = self.root / name
        if not path.is_symlink() and not path.exists():
            return None
        return self._entry(name, self._zone if path.parent.resolve().is_relative_to(self._zone) else None)

    @contextmanager
    def local(self, entries: Sequence[Entry]) -> Iterator[Path]:
        yield self.root

    def put(self, file: Path, name: str) -> None:
        import shutil

        to = self.root / name
        to.parent.mkdir(parents=True, exist_ok=True)
        aside = to.with_name(f".{to.name}.part")
        shutil.copyfile(file, aside)
        aside.replace(to)

    @cached_property
    def _zone(self) -> Path:
        return self.within.resolve()

    def _entry(self, name: str, zone: Path | None) -> Entry:
        path = self.root / name
        try:
            state = path.lstat()
            if path.is_symlink():
                state = path.stat()
                if zone is not None and not path.resolve().is_relative_to(zone):
                    return Entry(name=name, odd=OUTSIDE)
        except (OSError, RuntimeError):
            return Entry(name=name, odd=NOWHERE)
        if zone is None:
            return Entry(name=name, odd=OUTSIDE)
        if not S_ISREG(state.st_mode):
            return Entry(name=name, odd=FOLDER if S_ISDIR(state.st_mode) else ODD)
        # A copy may keep the time that its original was written at; it cannot keep that of its own inode.
        written = max(state.st_mtime, state.st_ctime)
        return Entry(name=name, size=state.st_size, stamp=str(state.st_mtime_ns), written=written)


@dataclass(frozen=True, kw_only=True)
class Remote:
    """A place that fsspec knows: its files are read from copies. Credentials come from the environment alone."""

    url: str
    copies: ClassVar[bool] = True

    def listed(self, folder: str) -> list[Entry]:
        path = self._at(folder)
        with _told(path):
            try:
                found = self._system.ls(self._bare(path), detail=True)
            except (FileNotFoundError, NotADirectoryError) as error:
                return _nothing(path, error, [])
        entries = [self._entry(info) for info in found]
        # A store may say the folder itself among what is in it.
        own = [entry for entry in entries if entry.name.rpartition("/")[0] == folder and entry.name != folder]
        return sorted(own, key=lambda entry: entry.name)

    def found(self, name: str) -> Entry | None:
        path = self._at(name)
        with _told(path):
            try:
                return self._entry(self._system.info(self._bare(path)))
            except FileNotFoundError as error:
                return _nothing(path, error, None)

    @contextmanager
    def local(self, entries: Sequence[Entry]) -> Iterator[Path]:
        with tempfile.TemporaryDirectory() as folder:
            copies = [Path(folder, entry.name) for entry in entries]
            for copy in copies:
                copy.parent.mkdir(parents=True, exist_ok=True)
            with _told(self.url):
                self._system.get(
                    [self._bare(self._at(entry.name)) for entry in entries], [str(copy) for copy in copies]
                )
            yield Path(folder)

    def put(self, file: Path, name: str) -> None:
        with _told(self.url):
            self._system.put_file(str(file), self._bare(self._at(name)))

    @cached_property
    def _system(self) -> Any:
        with _told(self.url):
            from fsspec import filesystem

            # What was listed a minute ago is no answer to what is there now.
            return filesystem(self.url.split("://", 1)[0], use_listings_cache=False)

    @cached_property
    def _base(self) -> str:
        return str(self._bare(self.url)).rstrip("/")

    def _bare(self, path: str) -> Any:
        return self._system._strip_protocol(path)  # noqa: SLF001 - as documented for those who call `ls`

    def _at(self, name: str) -> str:
        if ".." in PurePosixPath(name).parts:
            raise SourceError(f"{shown(self.url)}/{name} is no name for a file. Have it renamed; nothing was read.")
        return f"{self.url.rstrip('/')}/{name}" if name else self.url

    def _entry(self, info: dict[str, Any]) -> Entry:
        name = str(info["name"]).removeprefix(self._base).strip("/")
        if info.get("type") == "directory":
            return Entry(name=name, odd=FOLDER)
        written = next((_seconds(info[time]) for time in TIMES if info.get(time)), None)
        tag = next((str(info[tag]).strip('"') for tag in TAGS if info.get(tag)), "")
        stamp = tag or ("" if written is None else repr(written))
        return Entry(name=name, size=int(info.get("size") or 0), stamp=stamp, written=written)


def _nothing(path: str, error: OSError, nothing: T) -> T:
    """An empty place is no error; one whose bucket is not there is, or all that was ever delivered had vanished."""
    if "bucket" in str(error):
        raise SourceError(f"{shown(path)} cannot be read: {error}. Mend the name, or make the bucket.") from error
    return nothing


def _seconds(time: Any) -> float | None:
    """A store may say the same time in several ways."""
    if isinstance(time, str):
        try:
            time = datetime.fromisoformat(time)
        except ValueError:
            return None
    return time.timestamp() if isinstance(time, datetime) else float(time)


@contextmanager
def _told(place: str) -> Iterator[None]:
    """What a library says when a store cannot be reached, as one of our errors and without secrets."""
    where, protocol = shown(place), place.split("://", 1)[0]
    try:
        yield
    except (SourceError, FileNotFoundError, NotADirectoryError):
        raise
    except ImportError as error:
        package = f"'platform_ml[{EXTRAS[protocol]}]'" if protocol in EXTRAS else "what is named there"
        raise SourceError(f"{where} cannot be read: {error}. Run: pip install {package}") from error
    except ValueError as error:
        raise SourceError(f"{where} cannot be read: {hidden(str(error))}. Mend the URL.") from error
    except Exception as error:
        said = hidden(f"{type(error).__name__}: {error}")
        raise SourceError(
            f"{where} cannot be reached ({said}). See that the store is up and that the environment has what it takes "
            "to get in (AWS_ACCESS_KEY_ID, FSSPEC_S3_ENDPOINT_URL, ...); nothing was changed."
        ) from error
