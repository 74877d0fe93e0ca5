"""One JSON array of objects."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from platform_ml.formats.objects import names_sql, objects_sql
from platform_ml.formats.text import problem_of_text

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from platform_ml.spec.schema import Column
    from platform_ml.spec.source import Broken

ENDS = 4_096
"""Bytes that are looked at on either side."""


@dataclass(frozen=True, kw_only=True)
class JSON:
    """An array of JSON objects in UTF-8: one that is damaged anywhere is refused, for its objects have no lines."""

    suffix: ClassVar[str] = ".json"
    typed: ClassVar[bool] = False
    direct: ClassVar[bool] = True

    def problem(self, path: str) -> str | None:
        """A whole file begins and ends with the brackets of one array."""
        if problem := problem_of_text(path):
            return problem
        with Path(path).open("rb") as stream:
            start = stream.read(ENDS).removeprefix(b"\xef\xbb\xbf").lstrip()
            stream.seek(-min(ENDS, stream.seek(0, 2)), 2)
            end = stream.read().rstrip()
        if not start.startswith(b"["):
            return "it does not begin with [ as an array does"
        if not end.endswith(b"]"):
            return "its end is missing: it was truncated or is still being written"
        return None

    def sql(self, path: str, columns: Sequence[Column], *, sifted: bool = False) -> str:
        """An object is a row."""
        return objects_sql(path, "array", columns)

    def sift(self, path: str, to: str, columns: Sequence[Column]) -> list[Broken] | None:
        """After a fault nobody can tell where the next object begins."""
        return None

    def lines(self, path: str, rows: Collection[int]) -> dict[int, int]:
        """An array is written in one line as well as in many."""
        return {}

    def names(self, path: str) -> str | None:
        """The keys of the objects."""
        return names_sql(path, "array")
