"""What a database's driver hands out becomes columns of the declared types; what does not fit is named, row by row."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal as Exact
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeAlias
from uuid import UUID

from platform_ml.spec.errors import SourceError
from platform_ml.spec.schema import Boolean, Decimal, Double, Integer, Text, Timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from platform_ml.spec.schema import Column, Type

Ambiguous: TypeAlias = Literal["refuse", "first", "second"]
"""Which moment a local time means that a clock shows twice; "refuse" keeps such rows in quarantine."""
FAULTS, RECORD = "_faults", "_record"
LARGEST = 2**63
ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)? ?(Z|[+-]\d\d(:?\d\d)?)?")


class UnfitError(Exception):
    """A value that is not what its column was declared as."""

    def __init__(self, reason: str, *, kind: bool = False) -> None:
        super().__init__(reason)
        self.kind = kind
        """Whether it is of another type altogether."""


class UnreadableTime(str):
    """A time as the database writes it, where Python has no value for it."""

    __slots__ = ()


@dataclass(kw_only=True)
class Reading:
    """The rows of one query on their way into columns, and what was found wrong on the way."""

    columns: Sequence[Column]
    zone: tzinfo = UTC
    """Of times that carry none."""
    ambiguous: Ambiguous = "refuse"
    typed: bool = True
    """Whether the database has booleans and times; SQLite keeps them as numbers and text."""
    fit: Counter[str] = field(default_factory=Counter)
    """Column → how many values were of its type."""
    strange: dict[str, Counter[str]] = field(default_factory=dict)
    """Column → other types → how many values."""

    def batch(self, rows: Sequence[Sequence[Any]]) -> pa.RecordBatch:
        """Some rows, with what is wrong with each and, of those, the record as it was delivered."""
        import pyarrow as pa

        faults: dict[int, list[str]] = {}
        values = list(zip(*rows, strict=True)) if rows else [()] * len(self.columns)
        arrays = [self._array(column, some, faults) for column, some in zip(self.columns, values, strict=True)]
        told = [faults.get(number, []) for number in range(len(rows))]
        records = [self._record(rows[number]) if number in faults else None for number in range(len(rows))]
        arrays += [pa.array(told, pa.list_(pa.string())), pa.array(records, pa.string())]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema())

    def schema(self) -> pa.Schema:
        """The columns as they are written."""
        import pyarrow as pa

        plain = [(column.name, arrow_type(column.type)) for column in self.columns]
        return pa.schema([*plain, (FAULTS, pa.list_(pa.string())), (RECORD, pa.string())])

    def check(self) -> None:
        """Refuse a column that has no value of its type: where columns have types, it has another than was declared."""
        for column in self.columns if self.typed else ():
            if (found := self.strange.get(column.name)) and not self.fit[column.name]:
                raise SourceError(
                    f"column {column.name!r} holds {' and '.join(sorted(found))}, declared is {column.type.sql}. Have "
                    "a query cast it, or change the declaration. Nothing was loaded."
                )

    def _array(self, column: Column, values: Sequence[Any], faults: dict[int, list[str]]) -> pa.Array:
        import pyarrow as pa

        kinds = set(map(type, values)) - {type(None)}
        kind = arrow_type(column.type)
        if not kinds:
            return pa.nulls(len(values), kind)
        if kinds == {QUICK[type(column.type)]} and self._is_plain(column.type, values):
            try:
                found = pa.array(values, kind)
            except (pa.ArrowException, OverflowError, UnicodeError, ValueError):
                pass
            else:
                self.fit[column.name] += len(values) - found.null_count
                return found
        slow = []
        for number, value in enumerate(values):
            try:
                slow.append(None if value is None else self._one(column.type, value))
                self.fit[column.name] += value is not None
            except UnfitError as unfit:
                slow.append(None)
                faults.setdefault(number, []).append(f"{column.name} {unfit}")
                if unfit.kind:
                    self.strange.setdefault(column.name, Counter())[called(value)] += 1
                else:
                    self.fit[column.name] += 1
        return pa.array(slow, kind)

    def _is_plain(self, kind: Type, values: Sequence[Any]) -> bool:
        """Whether Arrow makes of the values what is meant by them."""
        if isinstance(kind, Timestamp):
            return all(value is None or value.tzinfo is not None for value in values)
        return not isinstance(kind, Text) or not any(value and "\0" in value for value in values)

    def _one(self, kind: Type, value: Any) -> Any:
        match kind:
            case Integer():
                return _integer(kind, value)
            case Decimal():
                return _decimal(kind, value)
            case Double():
                return float(value) if type(value) in {int, float, Exact} else _strange(kind)
            case Text():
                return _text(value)
            case Boolean():
                return self._boolean(kind, value)
            case Timestamp():
                return self._timestamp(kind, value)
        raise TypeError(kind)

    def _boolean(self, kind: Boolean, value: Any) -> bool:
        if type(value) is bool:
            return value
        if self.typed or type(value) is not int:
            _strange(kind)
        if value not in {0, 1}:
            raise UnfitError(f"is not a {kind.sql}")
        return bool(value)

    def _timestamp(self, kind: Timestamp, value: Any) -> datetime:
        if type(value) is date:
            value = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - the zone is told below
        if type(value) is str and not self.typed:
            if not ISO.fullmatch(value):
                raise UnfitError(f"is not a {kind.sql}")
            try:
                value = datetime.fromisoformat(value[:11] + value[11:].replace(" ", ""))
            except ValueError as error:
                raise UnfitError(f"is not a {kind.sql}") from error
        if isinstance(value, UnreadableTime):
            raise UnfitError(f"is not a {kind.sql}")
        if not isinstance(value, datetime):
            _strange(kind)
        try:
            return (value if value.tzinfo else self._local(value)).astimezone(UTC)
        except OverflowError as error:
            raise UnfitError(f"is not a {kind.sql}") from error

    def _local(self, value: datetime) -> datetime:
        """The moment behind a local time; clocks that are put back show an hour twice, those put forward skip one."""
        first, second = (value.replace(tzinfo=self.zone, fold=fold) for fold in (0, 1))
        apart = (first.utcoffset() or timedelta()) - (second.utcoffset() or timedelta())
        if apart < timedelta():
            raise UnfitError(f"is a time that clocks in {self.zone} skip")
        if apart and self.ambiguous == "refuse":
            raise UnfitError(f"is a time that clocks in {self.zone} show twice")
        return second if self.ambiguous == "second" else first

    def _record(self, row: Sequence[Any]) -> str:
        names = (column.name for column in self.columns)
        told = {name: _plain(value) for name, value in zip(names, row, strict=True)}
        return json.dumps(told, ensure_ascii=False, default=str)


QUICK: dict[type, type] = {
    Integer: int,
    Decimal: Exact,
    Double: float,
    Text: str,
    Boolean: bool,
    Timestamp: datetime,
}
"""What Arrow takes as it is."""


CALLED: dict[type, str] = {
    bool: "booleans",
    int: "whole numbers",
    float: "numbers",
    Exact: "decimals",
    str: "text",
    bytes: "bytes",
    memoryview: "bytes",
    datetime: "times",
    date: "days",
    timedelta: "durations",
    list: "lists",
    dict: "JSON objects",
}
"""What people call the types of Python."""


def called(value: Any) -> str:
    """What people call the type of a value.

    >>> called([1]), called(b"")
    ('lists', 'bytes')
    """
    return CALLED.get(type(value), f"values of type {type(value).__name__}")


def arrow_type(kind: Type) -> pa.DataType:
    """How a declared type is written."""
    import pyarrow as pa

    match kind:
        case Integer():
            return pa.int64()
        case Decimal():
            return pa.decimal128(kind.precision, kind.scale)
        case Double():
            return pa.float64()
        case Text():
            return pa.string()
        case Boolean():
            return pa.bool_()
        case Timestamp():
            return pa.timestamp("us", "UTC")
    raise TypeError(kind)


def _strange(kind: Type) -> NoReturn:
    raise UnfitError(f"is not a {kind.sql}", kind=True)


def _integer(kind: Integer, value: Any) -> int:
    if type(value) not in {int, float, Exact}:
        _strange(kind)
    if not math.isfinite(value):
        raise UnfitError("is not a finite number")
    if value != int(value):
        raise UnfitError("has more than 0 digits after the point")
    if not -LARGEST <= value < LARGEST:
        raise UnfitError(f"is not a {kind.sql}")
    return int(value)


def _decimal(kind: Decimal, value: Any) -> Exact:
    if type(value) not in {int, float, Exact}:
        _strange(kind)
    if not math.isfinite(value):
        raise UnfitError("is not a finite number")
    exact = Exact(repr(value)) if isinstance(value, float) else Exact(value)
    if not exact:
        return Exact(0)
    sign, digits, exponent = exact.as_tuple()
    if exact.adjusted() + kind.scale >= kind.precision:
        raise UnfitError(f"is not a {kind.sql}")
    beyond = -int(exponent) - kind.scale
    if beyond <= 0:
        return exact
    if any(digits[-beyond:]):
        raise UnfitError(f"has more than {kind.scale} digits after the point")
    return Exact((sign, digits[:-beyond] or (0,), -kind.scale))


def _text(value: Any) -> str:
    if isinstance(value, UUID):
        return str(value)
    if type(value) is not str:
        _strange(Text())
    if "\0" in value:
        raise UnfitError("holds a NUL")
    try:
        value.encode()
    except UnicodeError as error:
        raise UnfitError("is not utf-8 text") from error
    return str(value)


def _plain(value: Any) -> Any:
    """A value in JSON, for the one who has to mend it."""
    match value:
        case None | bool() | int() | list() | dict():
            return value
        case str():
            return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        case float():
            return value if math.isfinite(value) else str(value)
        case bytes() | memoryview():
            return bytes(value).decode("utf-8", "backslashreplace")
    return str(value)
