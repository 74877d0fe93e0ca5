"""One JSON object a line."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from platform_ml.formats.objects import LONGEST, names_sql, objects_sql
from platform_ml.formats.text import CUT_OFF, is_text, keep, last_line, numbered, problem_of_text, readable
from platform_ml.spec.source import Broken

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from platform_ml.spec.schema import Column

FORM = "newline_delimited"


@dataclass(frozen=True, kw_only=True)
class JSONLines:
    """A JSON object in every line, in UTF-8; empty lines are passed over."""

    may_be_empty: bool = False
    """Whether a file without a single byte is a delivery without rows; otherwise that is an empty line."""

    suffix: ClassVar[str] = ".jsonl"
    typed: ClassVar[bool] = False
    direct: ClassVar[bool] = True

    def problem(self, path: str) -> str | None:
        """The last line of a whole file has an end, or is whole by itself."""
        if self.may_be_empty and not Path(path).stat().st_size:
            return None
        if problem := problem_of_text(path):
            return problem
        end = last_line(path).decode("utf-8", "surrogateescape")
        return CUT_OFF if end and _fault(end) else None

    def sql(self, path: str, columns: Sequence[Column], *, sifted: bool = False) -> str:
        """A line is a row."""
        return objects_sql(path, FORM, columns)

    def sift(self, path: str, to: str, columns: Sequence[Column]) -> list[Broken] | None:
        """Lines that are JSON."""

        def judged() -> Iterator[tuple[str, Broken | None]]:
            for row, (line, text) in enumerate(_lines(path)):
                reason = _fault(text)
                yield text, Broken(row=row, line=line, record=readable(text), reason=reason) if reason else None

        return keep(judged(), to)

    def lines(self, path: str, rows: Collection[int]) -> dict[int, int]:
        """Empty lines count."""
        return numbered((line for line, _ in _lines(path)), rows)

    def names(self, path: str) -> str | None:
        """The keys of the objects."""
        return names_sql(path, FORM)


def _lines(path: str) -> Iterator[tuple[int, str]]:
    with Path(path).open(encoding="utf-8-sig", errors="surrogateescape", newline="\n") as stream:
        for number, line in enumerate(stream, 1):
            if text := line.strip(" \t\r\n"):
                yield number, text


def _fault(text: str) -> str:
    if not is_text(text):
        return "the row is not utf-8 text"
    if len(text) > LONGEST or len(text.encode()) > LONGEST:
        return f"the row is longer than {LONGEST:,} bytes"
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        return f"the row is no JSON: {error}" if isinstance(error, ValueError) else "the row is nested too deeply"
    return ""
