"""Files in the landing folder, in another one, or in an object store."""

from __future__ import annotations

import os
import re
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from platform_ml.origins.names import Pattern
from platform_ml.origins.stores import FOLDER, NOWHERE, ODD, Entry, hidden, sha256, shown, store
from platform_ml.spec.errors import DeclarationError, SourceError, did_you_mean
from platform_ml.spec.fingerprint import PROSE, digest
from platform_ml.spec.origin import Delivered, Feed, Fetched, Listing
from platform_ml.spec.window import WHOLE, PartitionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from platform_ml.origins.stores import Store
    from platform_ml.spec.source import Source

VARIABLE = re.compile(r"\{([A-Z][A-Z0-9_]*)\}")
Gone: TypeAlias = Literal["refuse", "remove"]
GONE = ("refuse", "remove")


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files with the partition's key in their names: of a folder, or of what fsspec knows by a URL (s3://, gs://, ...).

    Without more they lie in the platform's landing place, which each environment chooses: one file per partition,
    `<landing>/<project>/<source>/<key><suffix>`, or `<landing>/<project>/<source><suffix>` without a cadence. What it
    takes to get in comes from the environment (AWS_ACCESS_KEY_ID, FSSPEC_S3_ENDPOINT_URL, ...), never from here.
    """

    root: str | None = field(default=None, metadata=PROSE)
    """Another place than `<landing>/<project>/<source>`; `{NAME}` in it is an environment variable."""
    pattern: str | None = field(default=None, metadata=PROSE)
    """The names below it, like `{key}/*.csv` or `orders_{key:%Y%m%d}.csv`; all that fit are read, in name order."""
    settle: timedelta = field(default=timedelta(minutes=1), metadata=PROSE)
    """How long nothing may have been written before a delivery counts as whole: for `arrivals`, not for a run."""
    gone: Gone = field(default="refuse", metadata=PROSE)
    """When some files of a loaded partition are there no more: "refuse" to load it again, or "remove" their rows."""

    kind: ClassVar[str] = "file"

    def __post_init__(self) -> None:
        if self.root is not None:
            self._check_root(self.root)
        if self.pattern is not None:
            Pattern(self.pattern).check("Files")
        if self.settle < timedelta(0):
            raise DeclarationError(f"Files: settle {self.settle} is less than nothing. Say how long to wait.")
        if self.gone not in GONE:
            raise DeclarationError(
                f"Files: gone {self.gone!r} is not known.{did_you_mean(self.gone, GONE)} Known: {', '.join(GONE)}."
            )

    @staticmethod
    def _check_root(root: str) -> None:
        if shown(root) != root:
            raise DeclarationError(
                f"Files: the root of {shown(root)} holds a password or a query, which everybody would see. Name "
                "the place alone; credentials come from the environment."
            )
        if "{" in VARIABLE.sub("", root) or not root.strip():
            raise DeclarationError(
                f"Files: root {root!r} is no place. Write a folder or a URL; {{NAME}} is an environment variable."
            )

    def check(self, source: Source) -> None:
        """Refuse a source whose partitions cannot be told from names."""
        if self.pattern is None:
            return
        where = f"Source {source.name!r}: the pattern {self.pattern!r}"
        if source.cadence is not None and not Pattern(self.pattern).has_day:
            raise DeclarationError(f"{where} does not say the day of a file. Put {{key}} into it.")
        if source.cadence is None and "{key" in self.pattern:
            raise DeclarationError(f"{where} has a key, but the source has no cadence. Leave out one of the two.")

    def place(self, feed: Feed, key: str) -> str:
        return self.path(feed, self._where(feed)[2].filled(key))

    def path(self, feed: Feed, name: str) -> str:
        """Where a file of this name lies, or lay, as people write it; of no name the folder of all."""
        root, _, _ = self._where(feed)
        return f"{shown(self._filled(root))}/{name}"

    def state(self, feed: Feed, key: str) -> str | None:
        files = self.files(feed, key)
        return self.digest(feed, key, files) if files else None

    def files(self, feed: Feed, key: str) -> tuple[Delivered, ...]:
        entries = self._entries(feed, key)
        return () if any(entry.odd for entry in entries) else tuple(map(_delivered, entries))

    @contextmanager
    def fetch(self, feed: Feed, key: str) -> Iterator[Fetched]:
        """The files themselves, or copies of them; `SourceError` also where one of them is a link to elsewhere."""
        where = f"{feed.name}, partition {key}: {self.place(feed, key)}"
        entries, (place, pattern) = self._entries(feed, key), self._store(feed)
        _check(where, entries, pattern)
        with ExitStack() as stack:
            try:
                folder = stack.enter_context(place.local(entries))
                manifest = tuple(_hashed(entry, folder) for entry in entries)
            except FileNotFoundError as error:
                raise SourceError(
                    f"{where} cannot be read: a file was taken away while it was read. Materialize the partition again "
                    "when the delivery is whole; earlier data was not touched."
                ) from error
            if place.copies:
                self._check_same(where, feed, key, entries)
                _check_whole(where, entries, folder)
            first = folder / manifest[0].name
            yield Fetched(
                path=first if len(manifest) == 1 else folder,
                name=manifest[0].name,
                state=_state(manifest, pattern),
                manifest=manifest,
            )
            if not place.copies:
                self._check_same(where, feed, key, entries)

    def listing(self, feed: Feed) -> Listing:
        place, pattern = self._store(feed)
        source, now = feed.source, time.time()
        if source.cadence is None and pattern.is_one:
            entry = place.found(pattern.text)
            entries = [(entry.name, entry)] if entry else []
        else:
            entries = [(entry.name, entry) for entry in _walk(place, pattern, "")]
        found: dict[str, list[Entry]] = {}
        growing: dict[str, str] = {}
        strays: dict[str, str] = {}
        for name, entry in entries:
            unfinished = None if pattern.fits(name) else pattern.unfinished(name)
            key, why = self._key(source, pattern, unfinished or name)
            if entry.odd or key is None:
                strays[name] = f"{entry.odd}, not a file" if entry.odd and key else why
            elif unfinished:
                growing[key] = f"{name} is being written"
            else:
                found.setdefault(key, []).append(entry)
                age = None if entry.written is None else now - entry.written
                if age is not None and abs(age) < self.settle.total_seconds():
                    growing[key] = f"{name} was written {max(age, 0):.0f} s ago"
        partitions = {key: tuple(map(_delivered, some)) for key, some in sorted(found.items())}
        return Listing(partitions=partitions, growing=growing, strays=strays)

    def missed(self, feed: Feed, key: str, files: Sequence[Delivered], known: Sequence[Delivered]) -> list[str]:
        pattern, there = Pattern(self._where(feed)[2].filled(key)), {one.name for one in files}
        if self.gone == "remove" or pattern.is_one or not files:
            return []
        return [one.name for one in known if one.name not in there and pattern.fits(one.name)]

    def digest(self, feed: Feed, key: str, files: Sequence[Delivered], known: Sequence[Delivered] = ()) -> str:
        place, pattern = self._store(feed)
        hashes = {(one.name, one.size, one.stamp): one.sha256 for one in known if one.stamp}
        unread = [one for one in files if (one.name, one.size, one.stamp) not in hashes]
        if unread:
            try:
                with place.local([Entry(name=one.name) for one in unread]) as folder:
                    hashes |= {(one.name, one.size, one.stamp): sha256(folder / one.name) for one in unread}
            except OSError as error:
                reason = hidden(str(error.strerror or error))
                raise SourceError(f"{self.place(feed, key)} cannot be read: {reason}.") from error
        return _state([replace(one, sha256=hashes[one.name, one.size, one.stamp]) for one in files], pattern)

    def deliver(self, feed: Feed, key: str, file: Path) -> None:
        """Put a file there, as a supplier would."""
        place, pattern = self._store(feed)
        place.put(file, pattern.filled(key))

    def _where(self, feed: Feed) -> tuple[str, str, Pattern]:
        """The root as declared, what its links may not lead out of, and the names of the files."""
        source, landing = feed.source, str(feed.landing).rstrip("/")
        suffix = source.format.suffix if source.format else ""
        own = self.pattern or (f"{{key}}{suffix}" if source.cadence else None)
        home = f"{landing}/{feed.project}/{source.name}" if own else f"{landing}/{feed.project}"
        root = home if self.root is None else self.root.rstrip("/")
        return root, landing, Pattern(own or f"{source.name}{suffix}")

    def _filled(self, root: str) -> str:
        """With the variables of the environment in it, where they are set."""
        return root if self.root is None else VARIABLE.sub(lambda name: os.environ.get(name[1], name[0]), root)

    def _store(self, feed: Feed) -> tuple[Store, Pattern]:
        root, within, pattern = self._where(feed)
        if self.root is None:
            return store(root, within), pattern
        if missing := [name for name in VARIABLE.findall(root) if name not in os.environ]:
            raise SourceError(
                f"{feed.name}: the environment variable {missing[0]} is not set, so {root} is no place. Set it."
            )
        full = VARIABLE.sub(lambda name: os.environ[name[1]], root)
        return store(full, full), pattern

    def _entries(self, feed: Feed, key: str) -> list[Entry]:
        """What belongs to a partition, in name order."""
        place, pattern = self._store(feed)
        filled = Pattern(pattern.filled(key))
        if filled.is_one:
            entry = place.found(filled.text)
            return [entry] if entry else []
        found = [e for e in _walk(place, filled, "") if filled.fits(e.name) or (e.odd and filled.leads_to(e.name))]
        return sorted(found, key=lambda entry: entry.name)

    def _key(self, source: Source, pattern: Pattern, name: str) -> tuple[str | None, str]:
        """The partition of a file, or why there is none."""
        if source.cadence is None:
            return (WHOLE, "") if pattern.fits(name) else (None, f"fits no file: names are like {pattern.text}")
        key = pattern.key(name)
        if key is not None:
            try:
                source.cadence.day(key)
            except PartitionError as error:
                return None, str(error)
            return key, ""
        if near := next(pattern.meant(name), ""):
            return None, f"fits no partition. Did you mean {near!r}?"
        return None, f"fits no partition: names are like {pattern.filled(str(source.cadence.first))}"

    def _check_same(self, where: str, feed: Feed, key: str, before: Sequence[Entry]) -> None:
        if self._entries(feed, key) != before:
            raise SourceError(
                f"{where} cannot be read: it was written while it was read. Wait until it is whole and materialize the "
                "partition again; earlier data was not touched."
            )


def unclaimed(landing: Path | str, project: str, sources: Sequence[Source]) -> dict[str, str]:
    """What lies in a project's landing place and belongs to none of its sources, and why."""
    known = {}
    for source in sources:
        origin = source.origin or Files()
        if isinstance(origin, Files) and origin.root is None:
            _, _, pattern = origin._where(Feed(project=project, source=source, landing=landing))  # noqa: SLF001
            known[source.name if origin.pattern or source.cadence else pattern.text] = pattern
    strays = {}
    for entry in store(f"{str(landing).rstrip('/')}/{project}", landing).listed(""):
        if entry.name in known:
            continue
        meant = next((name for name, pattern in known.items() if pattern.unfinished(entry.name) == name), None)
        near = did_you_mean(entry.name.lower(), known) if meant is None else f" It will be {meant!r}."
        strays[entry.name] = f"belongs to no source of {project}.{near}"
    return strays


def _walk(place: Store, pattern: Pattern, folder: str) -> Iterator[Entry]:
    """Everything below a folder, as deep as files of the pattern lie and no deeper."""
    level = folder.count("/") + 1 if folder else 0
    for entry in place.listed(folder):
        if entry.odd == FOLDER and level < pattern.depth and pattern.leads_to(entry.name):
            yield from _walk(place, pattern, entry.name)
        else:
            yield entry


def _check(where: str, entries: Sequence[Entry], pattern: Pattern) -> None:
    if not entries or (pattern.is_one and entries[0].odd in {FOLDER, ODD, NOWHERE}):
        raise SourceError(
            f"{where} was not delivered. Ask the supplier for it, put it there (a day without "
            "business is a file with no rows) and materialize the partition again."
        )
    for entry in entries:
        if entry.odd:
            what = "" if pattern.is_one else f": {entry.name}"
            raise SourceError(f"{where}{what} {entry.odd}. Have the file itself delivered; nothing was read.")


def _check_whole(where: str, entries: Sequence[Entry], folder: Path) -> None:
    """A copy must have as many bytes as the store says, where it says so."""
    for entry in entries:
        size = (folder / entry.name).stat().st_size
        if entry.size not in {0, size}:
            raise SourceError(
                f"{where} cannot be read: {size:,} of the {entry.size:,} bytes of {entry.name} came. Materialize the "
                "partition again; earlier data was not touched."
            )


def _delivered(entry: Entry) -> Delivered:
    return Delivered(name=entry.name, size=entry.size, stamp=entry.stamp)


def _hashed(entry: Entry, folder: Path) -> Delivered:
    return replace(_delivered(entry), sha256=sha256(folder / entry.name))


def _state(files: Sequence[Delivered], pattern: Pattern) -> str:
    """Of one file whose name is known the hash of the file itself; else also which files they are."""
    return files[0].sha256 if pattern.is_one else digest([[one.name, one.size, one.sha256] for one in files])
