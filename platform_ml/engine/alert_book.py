"""What is open, what was told, and what is still to be sent: one file, in which each look is written in full or not."""

from __future__ import annotations

import fcntl
import json
import sqlite3
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from platform_ml.engine.alerts import Pace, Problem, over, seen, tell
from platform_ml.spec.alert import Alert
from platform_ml.spec.errors import StoreError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from platform_ml.engine.alerts import Sink
    from platform_ml.spec.alert import Passed, Trouble

WAIT_SECONDS = 30.0
"""For another process that writes."""
MOST = 1_000
"""Messages that wait for one sink; beyond that the oldest is lost, which is counted."""
KEPT_DAYS = 30
"""How long what was not seen again is remembered."""
TABLES = """
CREATE TABLE IF NOT EXISTS problems (name TEXT PRIMARY KEY, state TEXT NOT NULL, last TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS seen (what TEXT PRIMARY KEY, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS outbox (number INTEGER PRIMARY KEY AUTOINCREMENT, sink TEXT NOT NULL, alert TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sinks (sink TEXT PRIMARY KEY, lost INTEGER NOT NULL, fault TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS cursors (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What one sink has not taken yet."""

    messages: int
    lost: int
    """Those that there was no room for, and those that it will never take."""
    fault: str
    """Why the first of them is still here."""


@dataclass
class Entry:
    """One look at what happened; nothing of it is kept unless all of it is."""

    connection: sqlite3.Connection
    now: datetime
    known: dict[str, Problem]
    """All that are remembered, as this look leaves them."""
    changed: set[str] = field(default_factory=set)
    news: list[Alert] = field(default_factory=list)

    def cursor(self, name: str) -> int | None:
        """How far it was read; None: never."""
        found = self.connection.execute("SELECT value FROM cursors WHERE name = ?", (name,)).fetchone()
        return None if found is None else int(found[0])

    def move(self, name: str, value: int) -> None:
        """It was read so far."""
        self.connection.execute("INSERT OR REPLACE INTO cursors VALUES (?, ?)", (name, value))

    def first_time(self, what: str) -> bool:
        """Whether this was never looked at; from now on it was."""
        done = self.connection.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (what, self.now.isoformat()))
        return done.rowcount == 1

    def see(self, trouble: Trouble) -> None:
        """Something is wrong."""
        self._keep(seen(self.known.get(trouble.problem), trouble, self.now))

    def clear(self, passed: Passed) -> None:
        """Something is right again."""
        for problem in list(self.known.values()):
            after = over(problem, passed)
            if after is not problem:
                self._keep(after)

    def tell(self, alert: Alert) -> None:
        """Something is good to know, once."""
        self.news.append(alert)

    def settle(self, pace: Pace) -> list[Alert]:
        """What has to be told now."""
        after, alerts = tell(self.known.values(), self.now, pace)
        for problem in after:
            self._keep(problem)
        return [*alerts, *self.news]

    def _keep(self, problem: Problem) -> None:
        self.known[problem.newest.problem] = problem
        self.changed.add(problem.newest.problem)


@dataclass(frozen=True, kw_only=True)
class AlertBook:
    """The problems of an environment and the messages about them; it survives kill -9 and a restart.

    A message is in the outbox of every sink exactly once, because what was read, what is open and what is to be sent
    are committed together. It leaves the outbox once the sink has taken it: who is killed between the two sends that
    one message again, under the same number.
    """

    file: Path
    pace: Pace = field(default_factory=Pace)

    @contextmanager
    def looking(self, sinks: Sequence[Sink], *, now: datetime | None = None) -> Iterator[Entry]:
        """Write down what happened and put into the outbox what has to be told; one process at a time."""
        with self._open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                entry = Entry(connection, now or datetime.now(tz=UTC), _problems(connection))
                yield entry
                self._finish(entry, sinks)
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise

    def _finish(self, entry: Entry, sinks: Sequence[Sink]) -> None:
        last = entry.now.isoformat()
        for alert in entry.settle(self.pace):
            for sink in sinks:
                if alert.severity.rank >= sink.level.rank:
                    _put(entry.connection, sink.name, alert)
        said = "ON CONFLICT DO UPDATE SET state = excluded.state, last = excluded.last"
        for name in sorted(entry.changed):
            entry.connection.execute(
                f"INSERT INTO problems VALUES (?, ?, ?) {said}", (name, json.dumps(entry.known[name].to_json()), last)
            )
        forgotten = (entry.now - timedelta(days=KEPT_DAYS)).isoformat()
        entry.connection.execute("DELETE FROM seen WHERE at < ?", (forgotten,))
        entry.connection.execute("DELETE FROM problems WHERE last < ?", (forgotten,))

    def problems(self) -> list[Problem]:
        """What is open, the worst first."""
        with self._open() as connection:
            found = [problem for problem in _problems(connection).values() if problem.open]
        return sorted(found, key=lambda one: (-one.newest.severity.rank, one.first, one.newest.problem))

    def waiting(self) -> Mapping[str, Waiting]:
        """Sink → what it has not taken, of every sink that lost or waits for something."""
        with self._open() as connection:
            counts = dict(connection.execute("SELECT sink, count(*) FROM outbox GROUP BY sink"))
            faults = {sink: (lost, fault) for sink, lost, fault in connection.execute("SELECT * FROM sinks")}
        found = {
            sink: Waiting(
                messages=counts.get(sink, 0), lost=faults.get(sink, (0, ""))[0], fault=faults.get(sink, (0, ""))[1]
            )
            for sink in sorted({*counts, *faults})
        }
        return {sink: one for sink, one in found.items() if one.messages or one.lost}

    def send(self, sinks: Sequence[Sink], *, seconds: float = 30.0) -> dict[str, int]:
        """Send what waits, each sink in order until it fails or the time is up; sink → how many it took.

        Does nothing while another process sends.
        """
        end, taken = time.monotonic() + seconds, dict[str, int]()
        with self._alone() as alone, self._open() as connection:
            for sink in sinks if alone else ():
                taken[sink.name] = 0
                while time.monotonic() < end and self._send_first(sink, connection):
                    taken[sink.name] += 1
        return taken

    def _send_first(self, sink: Sink, connection: sqlite3.Connection) -> bool:
        """Whether there was a message, and the sink is through with it."""
        ask = "SELECT number, alert FROM outbox WHERE sink = ? ORDER BY number LIMIT 1"
        found = connection.execute(ask, (sink.name,)).fetchone()
        if found is None:
            return False
        number, text = found
        try:
            sink.send(Alert.from_json(json.loads(text)), str(number))
            fault, lost = "", 0
        except UnreachableError as error:
            _fault(connection, sink.name, str(error), 0)
            return False
        except StoreError as error:
            fault, lost = str(error), 1
        with connection:
            connection.execute("BEGIN")
            connection.execute("DELETE FROM outbox WHERE number = ?", (number,))
            _fault(connection, sink.name, fault, lost)
        return True

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._fault(error) from error
        try:
            with closing(sqlite3.connect(self.file, timeout=WAIT_SECONDS, isolation_level=None)) as connection:
                connection.execute("PRAGMA synchronous = FULL")
                connection.executescript(TABLES)
                yield connection
        except sqlite3.Error as error:
            raise self._fault(error) from error

    def _fault(self, error: Exception) -> StoreError:
        return StoreError(
            f"{self.file} cannot be read or written ({error}). Nothing is lost: free space or mend the folder."
        )

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.with_suffix(".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True


def _problems(connection: sqlite3.Connection) -> dict[str, Problem]:
    found = connection.execute("SELECT name, state FROM problems ORDER BY rowid").fetchall()
    return {name: Problem.from_json(json.loads(state)) for name, state in found}


def _put(connection: sqlite3.Connection, sink: str, alert: Alert) -> None:
    """Into the outbox; the oldest makes room."""
    connection.execute("INSERT INTO outbox (sink, alert) VALUES (?, ?)", (sink, json.dumps(alert.to_json())))
    (count,) = connection.execute("SELECT count(*) FROM outbox WHERE sink = ?", (sink,)).fetchone()
    if count > MOST:
        oldest = "SELECT number FROM outbox WHERE sink = ? ORDER BY number LIMIT ?"
        connection.execute(f"DELETE FROM outbox WHERE number IN ({oldest})", (sink, count - MOST))
        _fault(connection, sink, "", count - MOST, keep=True)


def _fault(connection: sqlite3.Connection, sink: str, fault: str, lost: int, *, keep: bool = False) -> None:
    connection.execute("INSERT OR IGNORE INTO sinks VALUES (?, 0, '')", (sink,))
    connection.execute("UPDATE sinks SET lost = lost + ? WHERE sink = ?", (lost, sink))
    if not keep:
        connection.execute("UPDATE sinks SET fault = ? WHERE sink = ?", (fault, sink))
