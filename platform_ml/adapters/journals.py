"""Journals as SQLite files: an entry is there in full or not at all, also after kill -9 and a loss of power."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform_ml.spec.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SUFFIX = ".sqlite"
WAIT_SECONDS = 30.0
"""For another process that writes to the same journal."""


@dataclass(frozen=True)
class SqliteJournal:
    """One file, made with the first entry."""

    file: Path

    def read(self) -> list[Mapping[str, Any]]:
        """All entries, in the order in which they were appended."""
        if not self.file.exists():
            return []
        try:
            with closing(self._connected()) as connection:
                return [json.loads(text) for (text,) in connection.execute("SELECT entry FROM entries ORDER BY number")]
        except (sqlite3.Error, ValueError) as error:
            raise StoreError(
                f"{self.file} cannot be read ({error}). Remove it: the search that it belongs to starts again."
            ) from error

    def append(self, entry: Mapping[str, Any]) -> None:
        """Commit one entry to the disk."""
        text = json.dumps(entry, allow_nan=False)
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with closing(self._connected()) as connection, connection:
                connection.execute("INSERT INTO entries (entry) VALUES (?)", (text,))
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"{self.file} cannot be written ({error}). What it has is kept: free space or mend the folder, then "
                "run it again."
            ) from error

    def _connected(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.file, timeout=WAIT_SECONDS)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE IF NOT EXISTS entries (number INTEGER PRIMARY KEY, entry TEXT NOT NULL)")
        return connection


@dataclass(frozen=True)
class SqliteJournals:
    """Journals below one folder, a file each."""

    root: Path

    def open(self, place: str) -> SqliteJournal:
        """The journal of a place, as far as it was written."""
        return SqliteJournal(self.root / f"{place}{SUFFIX}")

    def drop(self, place: str) -> None:
        """Remove the journals at this place and below it."""
        self.open(place).file.unlink(missing_ok=True)
        shutil.rmtree(self.root / place, ignore_errors=True)
