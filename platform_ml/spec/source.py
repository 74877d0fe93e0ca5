"""Where data comes from, what it must look like, and what a bad row is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, TypeAlias

from platform_ml.spec.check import check_checks
from platform_ml.spec.errors import DeclarationError, did_you_mean
from platform_ml.spec.fingerprint import ADDED, JUDGED, PROSE
from platform_ml.spec.late import Late
from platform_ml.spec.naming import check_known, check_name, check_unique
from platform_ml.spec.origin import Choosy
from platform_ml.spec.retry import Retry
from platform_ml.spec.schema import Column, Timestamp
from platform_ml.spec.window import check_even

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import pyarrow as pa

    from platform_ml.spec.check import DataCheck
    from platform_ml.spec.origin import Origin
    from platform_ml.spec.schema import Type
    from platform_ml.spec.window import Cadence


Winner: TypeAlias = Literal["first", "last", "greatest", "least"]
BY_COLUMN = ("greatest", "least")
WINNERS = ("first", "last", *BY_COLUMN)
READABLE = (".parquet", ".csv", ".csv.bz2", ".csv.zip")
"""What the name of a packaged file may end in."""


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A record of a delivered file that cannot even be divided into columns."""

    row: int
    """Its number in the file, from 0."""
    line: int
    """Where it begins, from 1."""
    record: str
    """As it was delivered; bytes that are no text are written like \\xe4."""
    reason: str


class Format(Protocol):
    """How a delivered file is read."""

    suffix: ClassVar[str]
    """The file name ending, with the dot."""
    typed: ClassVar[bool]
    """Whether columns carry types of their own; otherwise every value is text until it is judged."""

    @property
    def direct(self) -> bool:
        """Whether DuckDB reads the file as it is; otherwise it reads a sifted copy."""
        ...

    def problem(self, path: str) -> str | None:
        """Why the file cannot be whole, or None: looked at before anything is read."""
        ...

    def sql(self, path: str, columns: Sequence[Column], *, sifted: bool = False) -> str:
        """A DuckDB relation of the file's rows in their order, with `file_row_number` from 0.

        It may have `_faults` (a list of reasons why a row is refused) and `_record` (the row as it was delivered).
        """
        ...

    def sift(self, path: str, to: str, columns: Sequence[Column]) -> list[Broken] | None:
        """Copy the records that can be read and return the others; None where a file is read whole or not at all.

        Raises:
            SourceError: it cannot be told where records begin and end.
        """
        ...

    def lines(self, path: str, rows: Collection[int]) -> dict[int, int]:
        """Row number → the line that it begins in, from 1; empty where a file has no lines."""
        ...

    def names(self, path: str) -> str | None:
        """SQL of the column names that any row has, where they stand in the rows."""
        ...


@dataclass(frozen=True, kw_only=True)
class Packaged:
    """Example data inside an installed Python package, delivered file by file as a supplier would."""

    distribution: str
    path: str
    """Inside the distribution: `.parquet`, `.csv` with a header, the same as `.csv.bz2`, or `.csv.zip` with one in it.

    Columns of a CSV file are read in the types that the source declares for them; the others are text.
    """
    nulls: tuple[str, ...] = ("",)
    """What a CSV file writes where it has no value."""
    adds: tuple[tuple[str, str], ...] = ()
    """Column and its DuckDB expression over the file's columns and those added before it.

    For what a supplier would write and the package does not have, like the instant behind a local date and hour.
    """
    joins: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Another Parquet file of the distribution and the columns that identify its rows: what else it has is added first.

    For what a supplier would write into each row and the package has in another table.
    """

    def __post_init__(self) -> None:
        where = f"Packaged {self.path!r}"
        if not self.path.endswith(READABLE):
            raise DeclarationError(f"{where}: only {', '.join(READABLE)} can be read. Name a file that ends like that.")
        for path, on in self.joins:
            if not path.endswith(".parquet") or not on:
                raise DeclarationError(f"{where}: {path!r} is joined by {on}. Name a Parquet file and its key.")
        check_unique(where, "added column", [name for name, _ in self.adds])
        for name, expression in self.adds:
            check_name("Added column", name)
            if not expression.strip():
                raise DeclarationError(f"{where}: added column {name!r} has no expression. Write one, or drop it.")


DAY = "_day"
"""The column of a simulated table that says under which day a row is delivered: days since 1970."""


class Simulator(Protocol):
    """A world that does not exist: what it delivers is made when it is asked for, from a seed."""

    tables: ClassVar[tuple[str, ...]]
    """What it has rows of."""

    def rows(self, table: str) -> pa.Table:
        """All rows of a table as a supplier would write them; of one with time with `DAY`, and in its order."""
        ...


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """Example data that a simulator makes, delivered file by file as a supplier would."""

    by: Simulator
    table: str

    def __post_init__(self) -> None:
        check_known(f"Simulated by {type(self.by).__name__}", "table", [self.table], self.by.tables)


@dataclass(frozen=True, kw_only=True)
class Source:
    """A feed: one delivery per partition, or one for all without a cadence."""

    name: str
    description: str = field(metadata=PROSE)
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    """The columns that identify a row: of rows with the same key one is kept."""
    format: Format | None = None
    """How its files are read; a database has none."""
    event_time: str | None = None
    cadence: Cadence | None = None
    max_rejected_share: float = 0.01
    """A partition with a larger share of rejected rows is refused as a whole."""
    expected_rows: tuple[int, int] | None = None
    """The usual least and most rows of a partition: outside is a warning."""
    example: Packaged | Simulated | None = field(default=None, metadata=PROSE)
    keep: Winner = field(default="first", metadata=ADDED)
    """Which of the good rows with the same key is kept; the others are rejected."""
    keep_by: str | None = field(default=None, metadata=ADDED)
    """The column of which the greatest or least value is kept; of equal ones the first in the file."""
    origin: Origin | None = field(default=None, metadata=ADDED)
    """Where it is delivered; None is the platform's landing folder."""
    retry: Retry = field(default=Retry(), metadata=PROSE)
    """How often it is tried again to fetch what is delivered."""
    late: Late = field(default=Late(), metadata=ADDED)
    """What becomes of a row whose key an earlier partition has."""
    checks: tuple[DataCheck, ...] = field(default=(), metadata=JUDGED)
    """What each partition is held against beside its columns."""

    def __post_init__(self) -> None:
        check_name("Source", self.name)
        where = f"Source {self.name!r}"
        names = [column.name for column in self.columns]
        check_unique(where, "column", names)
        check_known(where, "column", self.key, names)
        self._check_known_at(where)
        if not self.key:
            raise DeclarationError(f"{where} has no key: name the columns that identify a row.")
        check_even(where, self.cadence)
        if (self.event_time is None) != (self.cadence is None):
            raise DeclarationError(f"{where}: event_time and cadence belong together; declare both or neither.")
        if self.event_time is not None:
            check_known(where, "column", [self.event_time], names)
            if not isinstance(self.types[self.event_time], Timestamp):
                raise DeclarationError(f"{where}: event_time {self.event_time!r} must be a Timestamp.")
            if self.column(self.event_time).nullable:
                raise DeclarationError(
                    f"{where}: event_time {self.event_time!r} cannot be nullable: no window would see it."
                )
        if not 0 <= self.max_rejected_share <= 1:
            raise DeclarationError(
                f"{where}: max_rejected_share is a share from 0 to 1, not {self.max_rejected_share}."
            )
        if self.expected_rows is not None and not 0 <= self.expected_rows[0] <= self.expected_rows[1]:
            raise DeclarationError(
                f"{where}: expected_rows {self.expected_rows} must be least and most, like (100, 500)."
            )
        self._check_keep(where, names)
        if nullable := [name for name in self.key if self.column(name).nullable]:
            raise DeclarationError(f"{where}: key column {nullable[0]!r} cannot be nullable.")
        check_checks(where, self.checks, self.types)
        self._check_origin(where)

    def _check_origin(self, where: str) -> None:
        if self.format is None and (self.origin is None or self.origin.kind == "file"):
            raise DeclarationError(f"{where}: its files need a format. Declare one, like format=Parquet().")
        chooses: tuple[object, ...] = (self.origin, self.format)
        for chosen in chooses:
            if isinstance(chosen, Choosy):
                chosen.check(self)

    def _check_known_at(self, where: str) -> None:
        for column in self.columns:
            if column.known_at is not None:
                check_known(f"{where}, column {column.name!r}", "column", [column.known_at], self.types)
                if not isinstance(self.types[column.known_at], Timestamp):
                    raise DeclarationError(
                        f"{where}: {column.name!r} is known at {column.known_at!r}, which is no time."
                    )

    def _check_keep(self, where: str, names: Sequence[str]) -> None:
        if self.keep not in WINNERS:
            raise DeclarationError(
                f"{where}: keep {self.keep!r} is not known.{did_you_mean(self.keep, WINNERS)} "
                f"Known: {', '.join(WINNERS)}."
            )
        if (self.keep in BY_COLUMN) != (self.keep_by is not None):
            raise DeclarationError(
                f"{where}: keep_by names the column for keep 'greatest' or 'least', and only for them."
            )
        if self.keep_by is not None:
            check_known(where, "column", [self.keep_by], names)
            if self.keep_by in self.key:
                raise DeclarationError(
                    f"{where}: keep_by {self.keep_by!r} is the same in all rows of a key. Name another."
                )

    @property
    def types(self) -> dict[str, Type]:
        """Column name → type."""
        return {column.name: column.type for column in self.columns}

    def column(self, name: str) -> Column:
        """The column of this name."""
        return next(column for column in self.columns if column.name == name)
