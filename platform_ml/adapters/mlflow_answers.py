"""Whether a store is there at all, asked once and briefly: MLflow itself would try for minutes."""

from __future__ import annotations

import socket
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlparse
from urllib.request import Request, urlopen

from platform_ml.spec.errors import UnreachableError

SQLITE = "sqlite:///"
SECONDS = 5.0
"""How long a store may take to say that it is there."""
GATEWAY = (502, 503, 504)
"""What a gateway answers in place of a server that is gone."""
PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}


def database(tracking_uri: str) -> Path:
    """The file of a SQLite store."""
    return Path(tracking_uri.removeprefix(SQLITE)).resolve()


def check_answers(tracking_uri: str) -> None:
    """Return when the store can be written in all likelihood; `UnreachableError` after 5 seconds at most."""
    parts = urlparse(tracking_uri)
    try:
        if tracking_uri.startswith(SQLITE):
            _sqlite(database(tracking_uri))
        elif parts.scheme in {"http", "https"}:
            _http(tracking_uri)
        elif parts.hostname and (port := parts.port or PORTS.get(parts.scheme.partition("+")[0])):
            socket.create_connection((parts.hostname, port), timeout=SECONDS).close()
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "reason", None) or error
        raise UnreachableError(f"MLflow at {tracking_uri} does not answer: {reason}") from error


def _sqlite(file: Path) -> None:
    """Whether nobody keeps it locked; a file that is not there yet will be made."""
    if file.exists():
        with closing(sqlite3.connect(file, timeout=SECONDS)) as connection:
            connection.execute("BEGIN IMMEDIATE")


def _http(address: str) -> None:
    """Whether somebody answers, whatever the answer: with a proxy in front it may well be that one must log in."""
    request = Request(f"{address.rstrip('/')}/health")  # noqa: S310 - http or https, see above
    try:
        urlopen(request, timeout=SECONDS).close()  # noqa: S310
    except HTTPError as answer:
        answer.close()
        if answer.code in GATEWAY:
            raise URLError(f"a gateway says {answer.code} {answer.reason}") from answer
    except URLError as error:
        import ssl

        if not isinstance(error.reason, ssl.SSLError):  # whom MLflow may be told to trust
            raise
