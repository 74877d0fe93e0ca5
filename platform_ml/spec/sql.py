"""The one place where names and values become SQL: DuckDB's quoting, and no f-string with a quote in it elsewhere."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from platform_ml.spec.errors import DeclarationError

DIGITS = 38
"""The most digits that a DuckDB DECIMAL holds."""


def identifier(name: str) -> str:
    """The name of a table or column, quoted, whatever is in it.

    >>> print(identifier("km"), identifier('5" nails'))
    "km" "5"" nails"
    """
    if not name or "\0" in name:
        raise DeclarationError(f"The name {name!r} cannot be used in SQL: it is empty or holds a NUL. Rename it.")
    return '"' + name.replace('"', '""') + '"'


def literal(value: object) -> str:
    """The value as a DuckDB expression of its own type.

    >>> print(literal("it's"), literal(None), literal(True), literal(7), literal(-7))
    'it''s' NULL TRUE 7 (-7)
    >>> print(literal(0.1), literal(float("nan")), literal(Decimal("-1.50")))
    CAST('0.1' AS DOUBLE) CAST('nan' AS DOUBLE) CAST('-1.50' AS DECIMAL(3, 2))
    >>> from datetime import timezone
    >>> print(literal(date(2024, 1, 31)), literal(datetime(2024, 1, 31, 5, tzinfo=timezone.utc)))
    DATE '2024-01-31' TIMESTAMPTZ '2024-01-31 05:00:00.000000+00:00'

    Raises:
        DeclarationError: the type has no literal, text holds a NUL, or a datetime is not in UTC.
    """
    match value:
        case None:
            return "NULL"
        case bool():
            return "TRUE" if value else "FALSE"
        case int():
            return f"{int(value)}" if value >= 0 else f"({int(value)})"
        case float():
            return f"CAST('{float(value)!r}' AS DOUBLE)"
        case Decimal():
            return _decimal(value)
        case str():
            return _text(value)
        case datetime():
            return _moment(value)
        case date():
            return f"DATE '{value.isoformat()}'"
    raise DeclarationError(f"{value!r} of type {type(value).__name__} has no SQL literal. Use text, numbers or dates.")


def _text(value: str) -> str:
    if "\0" in value:
        raise DeclarationError(f"The text {value!r} cannot be used in SQL: it holds a NUL. Remove it.")
    return "'" + str.__str__(value).replace("'", "''") + "'"


def _decimal(value: Decimal) -> str:
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise DeclarationError(f"The decimal {value} is not a number. Use None, or a float.")
    scale = max(0, -exponent)
    width = max(len(digits) + max(0, exponent), scale, 1)
    if width > DIGITS:
        raise DeclarationError(f"The decimal {value} has {width} digits; DuckDB holds {DIGITS}. Use a float.")
    return f"CAST('{value:f}' AS DECIMAL({width}, {scale}))"


def _moment(value: datetime) -> str:
    if value.utcoffset() != timedelta(0):
        raise DeclarationError(f"The time {value.isoformat()} is not in UTC. Use value.astimezone(UTC).")
    return f"TIMESTAMPTZ '{value.replace(tzinfo=None).isoformat(sep=' ', timespec='microseconds')}+00:00'"
