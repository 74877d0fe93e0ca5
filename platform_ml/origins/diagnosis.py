"""Why a database refused a query, in the words of the declaration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from platform_ml.origins.drivers import database_types, refuse_nested
from platform_ml.spec.errors import SourceError, did_you_mean

if TYPE_CHECKING:
    from platform_ml.origins.database import Database
    from platform_ml.origins.statements import Statements
    from platform_ml.spec.source import Source

TIME = re.compile(r"date|timestamp")
SHOWN = 200
"""Characters of a list of names."""


def diagnosed(error: SourceError, database: Database, statements: Statements, source: Source, zone: str) -> str:
    """The error itself, or what a look at the table's columns adds to it."""
    from sqlalchemy.exc import DBAPIError

    if not isinstance(error.__cause__, DBAPIError):
        return str(error)
    try:
        with database.snapshot(zone) as connection:
            result = connection.execute(statements.shape())
            there, types = list(result.keys()), database_types(result)
    except SourceError:
        return f"{error}{_near_table(database, statements.table, zone)}"
    for column in source.columns:
        if column.name not in there:
            names = ", ".join(map(repr, there))[:SHOWN]
            return f"column {column.name!r} is missing.{did_you_mean(column.name, there) or f' There are: {names}.'}"
    try:
        refuse_nested(types, source.columns)
    except SourceError as nested:
        return str(nested)
    found = types.get(source.event_time or "", "timestamp")
    if not TIME.match(found):
        return (
            f"column {source.event_time!r} is {found}, declared is TIMESTAMPTZ. Have a query cast it, or change the "
            "declaration."
        )
    return str(error)


def _near_table(database: Database, table: str | None, zone: str) -> str:
    from sqlalchemy import inspect

    if table is None:
        return ""
    schema, _, name = table.rpartition(".")
    try:
        with database.snapshot(zone) as connection:
            look = inspect(connection)
            known = [*look.get_table_names(schema or None), *look.get_view_names(schema or None)]
    except SourceError:
        return ""
    return "" if name in known else did_you_mean(name, known)
