"""A connection to a database that only reads: where it leads, one snapshot of it, and what its faults mean."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform_ml.spec.errors import DeclarationError, SourceError, did_you_mean
from platform_ml.spec.retry import TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL, Connection, Engine
    from sqlalchemy.exc import DBAPIError

    from platform_ml.spec.retry import Fault

VARIABLE = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)")
DRIVERS = {"postgresql": "psycopg"}
"""What a URL means that names no driver: the one that `platform_ml[postgres]` installs."""
EXTRAS = {"psycopg": "postgres"}
SECRET = re.compile(r"pass|pwd|token|secret|key|cred", re.IGNORECASE)
ISOLATION = ("REPEATABLE READ", "SNAPSHOT", "SERIALIZABLE")
"""Levels at which all statements of a transaction see the same rows; the first that a database knows."""
CONNECT_SECONDS = 10
SHOWN = 500
"""Characters of a database's error."""
STATES: dict[str, Fault] = {
    "08": "connection",
    "53300": "connection",  # too many connections
    "57P01": "connection",  # the server shuts down
    "57P02": "connection",  # another process of it crashed
    "57P03": "connection",  # it starts up
    "57P05": "connection",  # the session was idle for too long
    "25P03": "timeout",  # the transaction was idle for too long
    "57014": "timeout",  # a statement took too long
    "40": "conflict",  # serialization failure, deadlock
    "55P03": "conflict",  # a lock is not to be had
    "58030": "io",
}
"""SQLSTATEs, or the classes that they begin with, of faults that may pass."""
LITE: dict[str, Fault] = {"SQLITE_BUSY": "conflict", "SQLITE_LOCKED": "conflict", "SQLITE_IOERR": "io"}
FINAL = re.compile(
    r"authentication failed|no password supplied|pg_hba\.conf|does not exist|not permitted|permission denied"
    r"|unsupported|invalid|unable to open|root certificate|certificate verify failed"
)
"""What no server answers otherwise the next time, where a driver gives no SQLSTATE."""


@dataclass(frozen=True)
class Database:
    """The database that an environment variable leads to."""

    url: str
    """`env:` and the name of the variable."""

    def check(self) -> None:
        """Refuse what is no name of a variable, without repeating it: it may be a URL with a password."""
        if not VARIABLE.fullmatch(self.url):
            raise DeclarationError(
                "SQL: url names the environment variable that holds the URL, like 'env:SHOP_URL'. A URL itself does "
                "not belong into a declaration: its password would be in git."
            )

    @property
    def variable(self) -> str:
        """Its name."""
        return self.url.removeprefix("env:")

    def address(self) -> str:
        """Where it leads, for people: driver, host, port and database, and nothing that is secret."""
        try:
            url = self._url()
        except SourceError:
            return self.url
        if url.host is None:
            return f"{url.get_backend_name()}:{url.database or 'memory'}"
        port = f":{url.port}" if url.port else ""
        return f"{url.get_backend_name()}://{url.host}{port}/{url.database or ''}"

    def _url(self) -> URL:
        from sqlalchemy import make_url
        from sqlalchemy.exc import ArgumentError

        text = os.environ.get(self.variable, "")
        if not text.strip():
            near = did_you_mean(self.variable, (name for name in os.environ if name != self.variable))
            what = "is empty" if self.variable in os.environ else "is not set"
            raise SourceError(
                f"The environment variable {self.variable} {what}.{near} Set it to the database's URL, like "
                "postgresql://reader:PASSWORD@host/shop."
            )
        try:
            url = make_url(text.strip())
        except (ArgumentError, ValueError):
            raise SourceError(
                f"The environment variable {self.variable} holds no URL of a database. Write it like "
                "postgresql://reader:PASSWORD@host:5432/shop, with special characters of the password as %40."
            ) from None
        driver = DRIVERS.get(url.drivername)
        return url.set(drivername=f"{url.drivername}+{driver}") if driver else url

    def _hidden(self, said: str) -> str:
        for secret in self._secrets():
            said = said.replace(secret, "***")
        return said

    def _secrets(self) -> list[str]:
        try:
            url = self._url()
        except SourceError:
            return []
        said = [str(value) for name, value in url.query.items() if SECRET.search(name)]
        return [secret for secret in (str(url.password or ""), *said) if secret]

    def _engine(self) -> Engine:
        from sqlalchemy import NullPool, create_engine
        from sqlalchemy.exc import NoSuchModuleError

        url = self._url()
        lite = url.get_backend_name() == "sqlite"
        if lite and url.database and not url.database.startswith("file:") and not Path(url.database).is_file():
            raise SourceError(f"There is no database {url.database}. Correct {self.variable}.")
        arguments: dict[str, Any] = {}
        if url.get_driver_name() == "psycopg" and "connect_timeout" not in url.query:
            arguments["connect_timeout"] = CONNECT_SECONDS
        try:
            return create_engine(url, poolclass=NullPool, hide_parameters=True, connect_args=arguments)
        except ModuleNotFoundError as error:
            driver = url.get_driver_name()
            package = f"platform_ml[{EXTRAS[driver]}]" if driver in EXTRAS else str(error.name)
            raise SourceError(
                f"{self.variable} asks for the driver {driver}, which is not installed. Run: pip install '{package}'"
            ) from error
        except NoSuchModuleError as error:
            raise SourceError(
                f"{self.variable} asks for {url.drivername}, which SQLAlchemy does not know. Correct it, or install "
                "the package that brings it."
            ) from error

    @contextmanager
    def snapshot(self, zone: str) -> Iterator[Connection]:
        """A transaction that reads and sees one state of the database throughout.

        Raises:
            TransientError: a fault that may pass.
            SourceError: one that does not.
        """
        from sqlalchemy.exc import DBAPIError, SQLAlchemyError

        engine = self._engine()
        try:
            with engine.connect() as connection, _reading(connection, zone):
                yield connection
        except DBAPIError as error:
            raise self.explained(error) from error
        except SQLAlchemyError as error:
            raise SourceError(f"SQLAlchemy says: {self._hidden(str(error))}") from error
        finally:
            engine.dispose()

    def explained(self, error: DBAPIError) -> SourceError:
        """What a driver's error means, in its own words less the secrets."""
        said = " ".join(str(error.orig).partition("\nLINE ")[0].split()) or type(error.orig).__name__
        fault = fault_of(error)
        message = f"the database says: {self._hidden(said)[:SHOWN].rstrip('.')}."
        if fault:
            return TransientError(message, fault)
        return SourceError(f"{message} Correct it there, in the declaration, or in {self.variable}.")


def fault_of(error: DBAPIError) -> Fault | None:
    """Which fault that may pass; None when it is final."""
    from sqlalchemy.exc import InterfaceError, OperationalError

    state = str(getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None) or "")
    if state:
        return STATES.get(state) or STATES.get(state[:2])
    if name := str(getattr(error.orig, "sqlite_errorname", None) or ""):
        return next((fault for begin, fault in LITE.items() if name.startswith(begin)), None)
    if error.connection_invalidated:
        return "connection"
    if isinstance(error, OperationalError | InterfaceError) and not FINAL.search(str(error.orig)):
        return "timeout" if "timeout" in str(error.orig) else "connection"
    return None


@contextmanager
def _reading(connection: Connection, zone: str) -> Iterator[None]:
    from sqlalchemy import text

    name = connection.dialect.name
    if name == "sqlite":
        # What holds text in another encoding is for whoever reads the row to say, not for the driver to fail on.
        driver: Any = connection.connection.driver_connection
        driver.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        connection.exec_driver_sql("PRAGMA query_only = ON")
        connection.exec_driver_sql("BEGIN")
        yield
        return
    known = connection.dialect.get_isolation_level_values(connection.connection.dbapi_connection)  # type: ignore[arg-type]
    level = next((level for level in ISOLATION if level in known), None)
    options: dict[str, Any] = {"isolation_level": level} if level else {}
    if name == "postgresql":
        options["postgresql_readonly"] = True
    connection.execution_options(**options)
    with connection.begin():
        if name == "postgresql":
            connection.execute(text("SELECT set_config('TimeZone', :zone, true)"), {"zone": zone})
        yield
