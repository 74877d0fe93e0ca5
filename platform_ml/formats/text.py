"""What the formats made of text share: where lines end, and how a file is seen to be cut off."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from platform_ml.spec.source import Broken

LONGEST = 2_000_000
"""Bytes: no honest record is longer, and DuckDB reads none that is."""
ENCODINGS = ("utf-8", "latin-1", "windows-1252", "utf-16")
MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
CUT_OFF = "its last line has no end: it was truncated or is still being written"


def check_encoding(where: str, encoding: str) -> None:
    """Refuse an encoding that is not known."""
    if encoding not in ENCODINGS:
        raise DeclarationError(
            f"{where}: encoding {encoding!r} is not known.{did_you_mean(encoding, ENCODINGS)} "
            f"Known: {', '.join(ENCODINGS)}."
        )


def problem_of_text(path: str, encoding: str = "utf-8") -> str | None:
    """Why these bytes are no text in that encoding, as far as their beginning tells."""
    file = Path(path)
    if not file.stat().st_size:
        return "it is empty: not even a header or an end of line is in it"
    with file.open("rb") as stream:
        start = stream.read(4_096)
    marked = next((name for mark, name in MARKS.items() if start.startswith(mark)), None)
    if marked and marked != encoding:
        return f"it says that it is {marked}, declared is {encoding}"
    if encoding != "utf-16" and b"\0" in start.splitlines()[0]:
        return f"it does not begin like {encoding} text: NUL bytes are in its first line"
    return None


def last_line(path: str) -> bytes:
    """What comes after the last end of line: nothing, when the file was written to its end."""
    with Path(path).open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - LONGEST))
        tail = stream.read()
    return tail[max(tail.rfind(b"\n"), tail.rfind(b"\r")) + 1 :].lstrip(b"\0")


def readable(text: str) -> str:
    r"""Text as it was delivered; bytes that are none are written like \xe4."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def is_text(text: str) -> bool:
    """Whether every byte could be decoded."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def keep(records: Iterable[tuple[str, Broken | None]], to: str, header: str = "") -> list[Broken]:
    """Write the good ones, one a line, and return the others."""
    broken: list[Broken] = []
    with Path(to).open("w", encoding="utf-8", newline="") as stream:
        stream.write(header)
        for text, fault in records:
            if fault is None:
                stream.write(f"{text}\n")
            else:
                broken.append(fault)
    return broken


def numbered(starts: Iterator[int], rows: Collection[int]) -> dict[int, int]:
    """Of these rows, the line that each begins in."""
    wanted, found = set(rows), {}
    for row, line in enumerate(starts):
        if row in wanted:
            found[row] = line
            if len(found) == len(wanted):
                break
    return found


def numbered_names(names: Sequence[str]) -> list[str]:
    """The same with a number behind a name that was there before, upper case or lower.

    >>> numbered_names(["Distance", "Time", "Distance"])
    ['Distance', 'Time', 'Distance (2)']
    """
    counts: dict[str, int] = {}
    found = []
    for name in names:
        counts[name.lower()] = place = counts.get(name.lower(), 0) + 1
        found.append(name if place == 1 else f"{name} ({place})")
    return found


def repeated(names: Sequence[str]) -> list[str]:
    """Names that occur twice for DuckDB, which does not tell upper case from lower."""
    seen: dict[str, str] = {}
    twice = []
    for name in names:
        if name.lower() in seen:
            twice.append(f"{seen[name.lower()]!r} and {name!r}")
        seen[name.lower()] = name
    return twice
