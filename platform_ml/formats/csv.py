"""Values with a delimiter between them, one record a line."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from platform_ml.formats.reading import Read, read_sql
from platform_ml.formats.text import (
    CUT_OFF,
    LONGEST,
    check_encoding,
    is_text,
    keep,
    last_line,
    numbered,
    numbered_names,
    problem_of_text,
    readable,
    repeated,
)
from platform_ml.spec.errors import DeclarationError, SourceError
from platform_ml.spec.fingerprint import ADDED
from platform_ml.spec.naming import check_unique
from platform_ml.spec.schema import NUMBERS
from platform_ml.spec.source import Broken
from platform_ml.spec.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from typing import IO, Any

    from platform_ml.spec.schema import Column
    from platform_ml.spec.source import Source

BEGINNING = 1 << 16
"""Characters that hold nearly every header."""
LONGEST_NAME = 131_072
"""Characters of a column's name."""
MOST = 10_000
"""Columns of a file; a header with more is damaged, or no header."""


@dataclass(frozen=True, kw_only=True)
class CSV:
    """Comma-separated values after RFC 4180: nothing of the dialect is guessed, and every value is text first."""

    delimiter: str = ","
    quote: str = '"'
    """Around values with a delimiter, quote or end of line in them; within, it is doubled."""
    encoding: str = "utf-8"
    """utf-8, latin-1, windows-1252 or utf-16."""
    nulls: tuple[str, ...] = ("",)
    """What is written where there is no value."""
    quoted_nulls: bool = False
    """Whether that means no value within quotes, too; otherwise it is text there."""
    decimal: str = "."
    """What numbers have before their fraction: a point or a comma."""
    header: bool = True
    """Whether the first record holds the names; otherwise the columns come as they are declared, in order."""
    may_end_open: bool = False
    """Whether the last line may lack its end; then a file cut within its last value is not seen to be so."""
    reads: tuple[Read, ...] = field(default=(), metadata=ADDED)
    """Columns that the supplier calls, measures or writes otherwise than the source declares them."""
    repeats: bool = field(default=False, metadata=ADDED)
    """Whether a name may be there again: the second Distance is called Distance (2). Otherwise the file is refused."""

    suffix: ClassVar[str] = ".csv"
    typed: ClassVar[bool] = False

    def __post_init__(self) -> None:
        where = "CSV"
        for what, sign in (("delimiter", self.delimiter), ("quote", self.quote)):
            if len(sign) != 1 or sign in "\r\n\0" or not sign.isascii():
                raise DeclarationError(f"{where}: {what} {sign!r} must be one ASCII character, and no end of line.")
        if self.delimiter == self.quote:
            raise DeclarationError(f"{where}: delimiter and quote are both {self.quote!r}. Declare two.")
        if self.decimal not in {".", ","}:
            raise DeclarationError(f"{where}: decimal {self.decimal!r} must be a point or a comma.")
        if self.decimal == self.delimiter:
            raise DeclarationError(f"{where}: delimiter and decimal are both {self.decimal!r}. Declare two.")
        check_encoding(where, self.encoding)
        check_unique(where, "null", self.nulls)
        if not self.nulls:
            raise DeclarationError(f'{where}: nothing says that there is no value. Declare nulls, like ("",).')
        if self.reads and not self.header:
            raise DeclarationError(f"{where}: without a header columns have no names to be read by. Drop reads.")

    def check(self, source: Source) -> None:
        """Refuse readings that cannot become the columns of the source."""
        for read in self.reads:
            read.check(source)

    @property
    def direct(self) -> bool:
        """DuckDB reads UTF-8; what is encoded otherwise is copied first."""
        return self.encoding == "utf-8"

    def problem(self, path: str) -> str | None:
        """A whole file has a header of which no name is there twice, and an end behind its last line."""
        if problem := problem_of_text(path, self.encoding):
            return problem
        if not self.may_end_open and last_line(path):
            return CUT_OFF
        try:
            names = self._first(path)
        except SourceError as error:
            return str(error)
        if len(names) > MOST:
            return f"its first line has {len(names):,} columns"
        if self.header and (twice := repeated(names)):
            return f"its header has a column twice: {twice[0]}; declare CSV(repeats=True) where that is as it should be"
        return None

    def sql(self, path: str, columns: Sequence[Column], *, sifted: bool = False) -> str:
        """Every value is text; a decimal comma becomes a point."""
        first = self._first(path, "utf-8") if sifted or self.header else []
        names = first if self.header else [column.name for column in columns]
        texts = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
        nulls = ", ".join(map(literal, self.nulls))
        # Without `parallel`, DuckDB 2.0 silently drops what comes after a quote that is never closed.
        read = (
            f"read_csv({literal(path)}, auto_detect = false, header = {literal(self.header)}, "
            f"delim = {literal(self.delimiter)}, quote = {literal(self.quote)}, escape = {literal(self.quote)}, "
            f"columns = {{{texts}}}, nullstr = [{nulls}], allow_quoted_nulls = {literal(self.quoted_nulls)}, "
            f"strict_mode = true, null_padding = false, ignore_errors = false, compression = 'none', "
            f"max_line_size = {LONGEST + sifted * 1_000}, parallel = {literal(not sifted)})"
        )
        counted = "row_number() OVER () - 1 AS file_row_number"
        if self.decimal == "." and not self.reads:
            return f"(SELECT *, {counted} FROM {read})"
        numbers = {read.header for read in self.reads if read.unit}
        numbers |= {column.name for column in columns if isinstance(column.type, NUMBERS)}
        points = {
            name: f"translate({identifier(name)}, ',.', '.,')"
            for name in names
            if name in numbers and self.decimal == ","
        }
        if self.reads:
            shown = read_sql(self.reads, columns, names, points)
        else:
            replaced = ", ".join(f"{text} AS {identifier(name)}" for name, text in points.items())
            shown = f"* REPLACE ({replaced})" if replaced else "*"
        return f"(SELECT {shown}, {counted}, to_json(_text) AS _record FROM {read} AS _text)"

    def sift(self, path: str, to: str, columns: Sequence[Column]) -> list[Broken] | None:
        """Records with as many values as there are columns, in UTF-8."""
        count = len(self._first(path)) if self.header else len(columns)

        def judged() -> Iterator[tuple[str, Broken | None]]:
            row = 0
            for line, text, values in self._records(path):
                if values == [] and count > 1:
                    continue  # DuckDB passes over empty lines, too
                reason = _fault(text, values, count, self.encoding)
                fault = Broken(row=row, line=line, record=readable(text), reason=reason) if reason else None
                yield text, fault
                row += 1

        records = judged()
        header = StringIO()
        if self.header:
            csv.writer(header, lineterminator="\n", **self._dialect).writerow(self._first(path))
        try:
            return keep(records, to, header.getvalue())
        except UnicodeError as error:
            raise SourceError(f"it is not {self.encoding} text ({error})") from error

    def lines(self, path: str, rows: Collection[int]) -> dict[int, int]:
        """Values may hold ends of lines, so they are counted."""
        single = len(self._first(path)) == 1
        return numbered((line for line, _, values in self._records(path) if values != [] or single), rows)

    def names(self, path: str) -> str | None:
        """The header has them."""
        return None

    @property
    def _dialect(self) -> dict[str, Any]:
        return {"delimiter": self.delimiter, "quotechar": self.quote, "strict": True}

    def _first(self, path: str, encoding: str | None = None) -> list[str]:
        """The values of the first record; names that are not there are made up, so that no value is lost."""
        for size in (BEGINNING, LONGEST):
            try:
                with self._open(path, encoding) as stream:
                    start = stream.read(size)
                lines = start.splitlines(keepends=True)
                rest = iter(lines)
                found = next(csv.reader(rest, **self._dialect), [])
            except (csv.Error, UnicodeError) as error:
                if size == LONGEST:
                    raise SourceError(f"its first line cannot be read ({error})") from error
                continue
            if next(rest, None) is not None:
                break
        if len(start) == LONGEST and len(lines) == 1:
            raise SourceError(f"its first line is longer than {LONGEST:,} characters")
        if any(len(name) > LONGEST_NAME for name in found):
            raise SourceError(f"its first line cannot be read (a name is longer than {LONGEST_NAME:,} characters)")
        names = [name or f"column_{number}" for number, name in enumerate(found, 1)]
        return numbered_names(names) if self.repeats else names

    def _records(self, path: str) -> Iterator[tuple[int, str, list[str] | None]]:
        """Line, text and values of each record after the header; None for values that cannot be told apart."""
        with self._open(path) as stream:
            seen: list[str] = []

            def fed() -> Iterator[str]:
                for line in stream:
                    seen.append(line)
                    yield line

            reader, line = csv.reader(fed(), **self._dialect), 1
            # Of the whole process, so that it is never set back while another file is read.
            csv.field_size_limit(2**31 - 1)
            while True:
                seen.clear()
                values = self._next(reader, seen, line)
                if not seen:
                    return
                if line > 1 or not self.header:
                    yield line, "".join(seen).rstrip("\r\n"), values
                line += len(seen)

    def _next(self, reader: Iterator[list[str]], seen: list[str], line: int) -> list[str] | None:
        try:
            return next(reader, None)
        except csv.Error as error:
            # A fault within one line with paired quotes cannot reach into the next one.
            if len(seen) == 1 and seen[0].count(self.quote) % 2 == 0 and seen[0].endswith(("\n", "\r")):
                return None
            raise SourceError(
                f"from line {line} on it cannot be told where records end, because a quote is not closed ({error})"
            ) from error

    def _open(self, path: str, encoding: str | None = None) -> IO[str]:
        named = encoding or self.encoding
        named = "utf-8-sig" if named == "utf-8" else named
        return Path(path).open(encoding=named, errors="surrogateescape", newline="")


def _fault(text: str, values: list[str] | None, count: int, encoding: str) -> str:
    """Why a record cannot be divided into its columns; an empty value more does no harm."""
    if not is_text(text):
        return f"the row is not {encoding} text"
    if values is None:
        return "the row has a quote in the middle of a value"
    if len(values) != count and not (len(values) == count + 1 and not values[-1]) and values:
        return f"the row has {len(values)} values, not {count}"
    if len(text) > LONGEST or len(text.encode()) > LONGEST:
        return f"the row is longer than {LONGEST:,} bytes"
    return ""
