"""Apache Parquet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from platform_ml.spec.sql import literal

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from platform_ml.spec.schema import Column
    from platform_ml.spec.source import Broken

MAGIC = b"PAR1"
SMALLEST = 12
"""Bytes: two magics and the length of the footer."""


@dataclass(frozen=True, kw_only=True)
class Parquet:
    """A Parquet file; its columns carry their own types."""

    suffix: ClassVar[str] = ".parquet"
    typed: ClassVar[bool] = True
    direct: ClassVar[bool] = True

    def sql(self, path: str, columns: Sequence[Column], *, sifted: bool = False) -> str:
        """A DuckDB table function call that reads the file, with the number of each row in it."""
        return f"read_parquet({literal(path)}, file_row_number=true)"

    def problem(self, path: str) -> str | None:
        """A whole file begins and ends with the magic; a truncated one has lost its footer."""
        file = Path(path)
        size = file.stat().st_size
        if size < SMALLEST:
            return f"it has {size} bytes, too few for a Parquet file"
        with file.open("rb") as stream:
            start = stream.read(len(MAGIC))
            stream.seek(-len(MAGIC), 2)
            end = stream.read()
        if start != MAGIC:
            return "it does not begin like a Parquet file"
        if end != MAGIC:
            return "its end is missing: it was truncated or is still being written"
        return None

    def sift(self, path: str, to: str, columns: Sequence[Column]) -> list[Broken] | None:
        """A damaged page belongs to many rows."""
        return None

    def lines(self, path: str, rows: Collection[int]) -> dict[int, int]:
        """It has none."""
        return {}

    def names(self, path: str) -> str | None:
        """The footer has them."""
        return None
