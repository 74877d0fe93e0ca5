"""What the driver of PostgreSQL tells beyond the interface that all drivers have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from platform_ml.origins.values import UnreadableTime
from platform_ml.spec.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, CursorResult
    from sqlalchemy.exc import DBAPIError

    from platform_ml.spec.schema import Column

NESTED = ("json", "jsonb", "hstore", "xml")


class OddTimeError(Exception):
    """A time that Python has no value for, like 'infinity' or one before Christ: its row has to be kept as text."""


def unloadable(error: DBAPIError) -> bool:
    """Whether the driver, and not the server, refused a value."""
    return error.connection_invalidated is False and getattr(error.orig, "sqlstate", None) is None


def database_types(result: CursorResult[Any]) -> dict[str, str]:
    """Column → the database's own name of its type; empty where the driver does not say."""
    described: Any = result.cursor.description if result.cursor is not None else ()
    return {one[0]: str(one.type_display) for one in described or () if hasattr(one, "type_display")}


def refuse_nested(types: Mapping[str, str], columns: Sequence[Column]) -> None:
    """Lists and documents are no values of a column."""
    for column in columns:
        found = types.get(column.name, "")
        if found in NESTED or found.endswith("[]"):
            raise SourceError(
                f"column {column.name!r} is {found}, declared is {column.type.sql}. Have a query take out the parts "
                "that are needed. Nothing was loaded."
            )


def lenient_times(connection: Connection) -> None:
    """Times that Python has no value for come as text from now on; all times come more slowly."""
    from psycopg import DataError
    from psycopg.types import datetime as loaders

    def told(loader: type) -> type:
        def load(self: Any, data: Any) -> Any:
            try:
                return loader.load(self, data)  # type: ignore[attr-defined]
            except DataError:
                return UnreadableTime(bytes(data).decode())

        return type(f"Lenient{loader.__name__}", (loader,), {"load": load})

    driver: Any = connection.connection.driver_connection
    for name, loader in (
        ("date", loaders.DateLoader),
        ("timestamp", loaders.TimestampLoader),
        ("timestamptz", loaders.TimestamptzLoader),
    ):
        driver.adapters.register_loader(name, told(loader))
