"""Columns that a supplier calls, measures or writes otherwise than the source declares them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from platform_ml.formats.units import CLOCK, factor
from platform_ml.spec.errors import DeclarationError, SourceError, did_you_mean
from platform_ml.spec.naming import check_known
from platform_ml.spec.schema import NUMBERS, Decimal, Double, Text, Timestamp
from platform_ml.spec.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.spec.schema import Column
    from platform_ml.spec.source import Source


@dataclass(frozen=True)
class Read:
    """A column of the source, and how a supplier writes it. Of several for one column the first that is there counts.

    A file that has neither of them may call the column as the source does: then it is read as it is. A column without
    unit that none is declared for is also found in other letters: activity_id as Activity ID.
    """

    column: str
    header: str
    """What the supplier calls it."""
    unit: str | None = None
    """What the supplier measures in, like km or h:mm:ss; it becomes the unit that the column declares, rounded to what
    the column can hold."""
    forms: tuple[str, ...] = ()
    """How times are written, as for strptime: %d/%m/%Y %H:%M. The first that fits counts."""
    zone: str = "UTC"
    """Whose clock those times show."""
    values: tuple[tuple[str, str], ...] = ()
    """The supplier's word and the source's; others stay as they are, to be judged."""
    may_miss: bool = False
    """Whether a file without such a column has no value in any row; otherwise it is refused."""

    @classmethod
    def first(cls, column: str, *headers: str, forms: tuple[str, ...] = (), zone: str = "UTC") -> tuple[Read, ...]:
        """The same column under several names, of which the first that is there counts."""
        return tuple(cls(column, header, forms=forms, zone=zone) for header in headers)

    def check(self, source: Source) -> None:
        """Refuse what cannot become the column."""
        check_known(f"Source {source.name!r}", "column", [self.column], source.types)
        column, where = source.column(self.column), f"Source {source.name!r}: {self.header!r} for {self.column!r}"
        if self.unit is not None:
            if not isinstance(column.type, NUMBERS) or column.unit is None:
                raise DeclarationError(f"{where} is in {self.unit}: declare the column as a number with a unit.")
            factor(where, self.unit, column.unit)
        if self.forms and not isinstance(column.type, Timestamp):
            raise DeclarationError(f"{where} has forms of times, but the column is {column.type.sql}.")
        self._check_zone(where)
        if self.values and not isinstance(column.type, Text):
            raise DeclarationError(f"{where} has words, but the column is {column.type.sql}.")
        words = [word for _, word in self.values]
        check_known(where, "allowed value", words, column.allowed or words)
        if self.may_miss and not column.nullable:
            raise DeclarationError(f"{where} may miss, but the column is not nullable. Change one of the two.")

    def _check_zone(self, where: str) -> None:
        try:
            ZoneInfo(self.zone)
        except (KeyError, ValueError, OSError) as error:
            raise DeclarationError(f"{where}: zone {self.zone!r} is not known. Write it like Europe/Berlin.") from error
        if self.zone != "UTC" and not self.forms:
            raise DeclarationError(f"{where}: a zone needs the forms that times are written in. Declare them.")

    def sql(self, column: Column, text: str) -> str:
        """The value as text, as the source declares it; what cannot become it is marked, so that it is no value."""
        if self.unit is not None:
            found = self._measured(column, text)
        elif self.forms:
            forms = ", ".join(map(literal, self.forms))
            moment = f"timezone('UTC', timezone({literal(self.zone)}, try_strptime({text}, [{forms}])))"
            found = f"strftime({moment}, '%Y-%m-%dT%H:%M:%S.%fZ')"
        elif self.values:
            words = " ".join(f"WHEN {literal(theirs)} THEN {literal(ours)}" for theirs, ours in self.values)
            return f"CASE {text} {words} ELSE {text} END"
        else:
            return text
        return f"coalesce({found}, '?' || {text})"

    def _measured(self, column: Column, text: str) -> str:
        ratio = factor(self.header, str(self.unit), str(column.unit))
        number = f"TRY_CAST({text} AS DECIMAL(24, 9))"
        if self.unit == CLOCK:
            fits = literal(r"(\d{1,6}:[0-5]?|\d{1,4})\d:[0-5]\d(\.\d+)?")
            parts = f"string_split({text}, ':')"
            second, minute, hour = (f"TRY_CAST({parts}[-{n}] AS DECIMAL(18, 6))" for n in (1, 2, 3))
            number = (
                f"CASE WHEN regexp_full_match({text}, {fits}) "
                f"THEN {second} + 60 * {minute} + 3600 * coalesce({hour}, 0) END"
            )
        if isinstance(column.type, Double):
            return f"CAST(CAST({number} AS DOUBLE) * {ratio.numerator} / {ratio.denominator} AS VARCHAR)"
        scale = column.type.scale if isinstance(column.type, Decimal) else 0
        exact = f"CAST(CAST({number} AS DECIMAL(24, 9)) * {ratio.numerator} AS DOUBLE) / {ratio.denominator}"
        return f"CAST(CAST(round({exact}, {scale}) AS DECIMAL(18, {scale})) AS VARCHAR)"


def read_sql(reads: Sequence[Read], columns: Sequence[Column], names: Sequence[str], texts: dict[str, str]) -> str:
    """The source's columns as a SELECT list, of a relation with the supplier's names; `texts` is name → SQL of a value.

    Raises:
        SourceError: a column is missing.
    """
    found, plain = [], {name.lower().replace(" ", "_"): name for name in reversed(names)}
    for column in columns:
        ways = [read for read in reads if read.column == column.name]
        way = next((read for read in ways if read.header in names), None)
        if way is not None:
            value = way.sql(column, texts.get(way.header, identifier(way.header)))
        elif column.name in names:
            value = texts.get(column.name, identifier(column.name))
        elif any(read.may_miss for read in ways):
            value = "CAST(NULL AS VARCHAR)"
        elif ways:
            called = " or ".join(repr(read.header) for read in ways)
            hint = did_you_mean(ways[0].header, names)
            raise SourceError(
                f"column {called}, which {column.name!r} is read from, is missing.{hint} Nothing was read"
            )
        elif column.unit is None and column.name in plain:
            value = texts.get(plain[column.name], identifier(plain[column.name]))
        else:
            continue
        found.append(f"{value} AS {identifier(column.name)}")
    return ", ".join(found)
