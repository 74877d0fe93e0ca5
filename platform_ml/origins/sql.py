"""A table or query of a database."""

from __future__ import annotations

import hashlib
import re
import tempfile
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from platform_ml.origins.database import Database
from platform_ml.origins.diagnosis import diagnosed
from platform_ml.origins.drivers import OddTimeError, database_types, lenient_times, refuse_nested, unloadable
from platform_ml.origins.statements import Statements
from platform_ml.origins.values import Reading
from platform_ml.spec.errors import DeclarationError, SourceError, did_you_mean
from platform_ml.spec.fingerprint import PROSE
from platform_ml.spec.naming import check_known
from platform_ml.spec.origin import Delivered, Fetched
from platform_ml.spec.retry import TransientError
from platform_ml.spec.schema import Integer, Timestamp
from platform_ml.spec.window import WHOLE, check_length

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pyarrow as pa
    from sqlalchemy import Connection, Row

    from platform_ml.origins.values import Ambiguous
    from platform_ml.spec.origin import Feed
    from platform_ml.spec.source import Source

BATCH = 10_000
"""Rows that are held in memory at a time."""
READS = re.compile(r"(?is)\s*(select|with|values|table)\b.*")


@dataclass(frozen=True, kw_only=True)
class SQL:
    """The rows of a table or query; of a source with a cadence, those whose event time is in the partition.

    What is read is one consistent state of the database. Rows without an event time come with the first partition, so
    that they are kept in quarantine and not passed over.
    """

    url: str
    """`env:NAME`: the environment variable that holds the URL, in SQLAlchemy's spelling."""
    table: str | None = None
    """Its name, with its schema where it needs one: `sales.orders`."""
    query: str | None = None
    """Instead of a table: a SELECT that has all columns of the source."""
    zone: str = "UTC"
    """What times without a time zone mean."""
    ambiguous: Ambiguous = "refuse"
    """Which moment is meant by a local time of the hour that is repeated when clocks are put back."""
    watermark: str | None = field(default=None, metadata=PROSE)
    """A column that grows with every change of a row, a time or a whole number: tells changes without reading rows."""
    overlap: timedelta = field(default=timedelta(hours=1), metadata=PROSE)
    """How much older than the newest one seen the watermark of a row may be that becomes visible only now.

    At least as long as the longest transaction that writes, and as clocks of writers differ.
    """
    deletes: bool = field(default=True, metadata=PROSE)
    """Whether rows are deleted or move to another partition. False: only those are looked at that are newer than what
    was seen before, less the overlap; an index on the watermark makes that fast.
    """

    kind: ClassVar[str] = "sql"

    def __post_init__(self) -> None:
        Database(self.url).check()
        if (self.table is None) == (self.query is None):
            raise DeclarationError("SQL: declare a table or a query, and not both.")
        if self.table is not None and not all(part and "\0" not in part for part in self.table.split(".")):
            raise DeclarationError(f"SQL: {self.table!r} names no table. Write it like 'orders' or 'sales.orders'.")
        if self.query is not None and not (READS.fullmatch(self.query) and ";" not in self.query):
            raise DeclarationError("SQL: query is one SELECT without a semicolon. What writes is refused.")
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            near = did_you_mean(self.zone, available_timezones())
            message = f"SQL: there is no time zone {self.zone!r}.{near} Write it like 'Europe/Berlin'."
            raise DeclarationError(message) from error
        if self.ambiguous not in {"refuse", "first", "second"}:
            raise DeclarationError(f"SQL: ambiguous is 'refuse', 'first' or 'second', not {self.ambiguous!r}.")
        check_length("SQL", "overlap", self.overlap)
        if self.overlap < timedelta():
            raise DeclarationError("SQL: overlap is negative. Say how late a row may become visible, or 0.")
        if not self.deletes and self.watermark is None:
            raise DeclarationError("SQL: without deletes, a watermark says what is new. Declare one, or allow deletes.")

    def check(self, source: Source) -> None:
        """Refuse a source that no database can deliver."""
        where = f"Source {source.name!r}"
        if source.format is not None:
            raise DeclarationError(f"{where}: a database has types of its own and no format. Leave format out.")
        if source.example is not None:
            raise DeclarationError(f"{where}: example data is delivered as files, not to a database. Leave one out.")
        if self.watermark is None:
            return
        check_known(where, "column", [self.watermark], source.types)
        kind = source.types[self.watermark]
        if not isinstance(kind, Timestamp | Integer):
            raise DeclarationError(f"{where}: watermark {self.watermark!r} must be a Timestamp or an Integer.")
        if not self.deletes and not isinstance(kind, Timestamp):
            raise DeclarationError(
                f"{where}: without deletes, the watermark must be a Timestamp: an overlap is a length of time."
            )

    @property
    def called(self) -> str:
        """What people call it: the table, or that it is a query."""
        return self.table or "query"

    def place(self, feed: Feed, key: str) -> str:
        """The table and where its database is."""
        what = f"table {self.table}" if self.table else "a query"
        return f"{what} in {Database(self.url).address()}"

    def state(self, feed: Feed, key: str) -> str | None:
        """How many rows there are and a checksum of their watermarks; without a watermark, a hash of the rows."""
        return self._one(feed, key).stamp

    def states(self, feed: Feed, keys: Sequence[str], known: Mapping[str, Sequence[Delivered]]) -> dict[str, str]:
        """Of all partitions in one statement, where the database can count and there is a watermark."""
        with self._asking(feed, "") as (connection, statements):
            return {key: one.stamp for key, one in self._survey(feed, keys, known, connection, statements).items()}

    @contextmanager
    def fetch(self, feed: Feed, key: str) -> Iterator[Fetched]:
        """The rows as a local Parquet file, read in batches through a cursor of the server."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, f"{key}.parquet")
            try:
                found = self._copy(feed, key, file, lenient=False)
            except OddTimeError:
                found = self._copy(feed, key, file, lenient=True)
            yield Fetched(path=file, name=self.called, state=found.stamp, manifest=(found,))

    def _one(self, feed: Feed, key: str) -> Delivered:
        with self._asking(feed, key) as (connection, statements):
            return self._told(feed, key, connection, statements)

    def _statements(self, source: Source, dialect: str) -> Statements:
        return Statements(
            dialect=dialect,
            table=self.table,
            query=self.query,
            columns=list(source.types),
            key=source.key,
            event_time=source.event_time,
            cadence=source.cadence,
            zone=self.zone,
            watermark=self.watermark,
            timed=self.watermark is not None and isinstance(source.types[self.watermark], Timestamp),
        )

    @contextmanager
    def _asking(self, feed: Feed, key: str) -> Iterator[tuple[Connection, Statements]]:
        """A snapshot of the database and what to ask it; faults say where they are and what to do."""
        where = f"{feed.name}{f', partition {key}' if key else ''}: {self.place(feed, key)}"
        database = Database(self.url)
        try:
            with database.snapshot(self.zone) as connection:
                yield connection, self._statements(feed.source, connection.dialect.name)
        except TransientError as error:
            raise TransientError(f"{where} cannot be read: {error}", error.fault) from error
        except SourceError as error:
            cause = diagnosed(error, database, self._statements(feed.source, ""), feed.source, self.zone)
            raise SourceError(f"{where} cannot be read: {cause} Earlier data was not touched.") from error

    def _told(self, feed: Feed, key: str, connection: Connection, statements: Statements) -> Delivered:
        if not statements.counts:
            try:
                return self._read(feed, key, connection, statements, lambda _: None)
            except OddTimeError:
                lenient_times(connection)
                return self._read(feed, key, connection, statements, lambda _: None)
        return self._counted(connection.execute(statements.exact(key)).one())

    def _counted(self, row: Row[*tuple[Any, ...]], seen: str = "") -> Delivered:
        rows, greatest, checksum = row[-3:]
        said = f"{int(rows)} rows, watermark {'none' if greatest is None else int(greatest)}, sum {int(checksum)}"
        return Delivered(name=self.called, size=int(rows), stamp=said, seen=seen)

    def _survey(
        self,
        feed: Feed,
        keys: Sequence[str],
        known: Mapping[str, Sequence[Delivered]],
        connection: Connection,
        statements: Statements,
    ) -> dict[str, Delivered]:
        if not keys or not statements.surveys:
            return {key: self._told(feed, key, connection, statements) for key in keys}
        remembered = {key: known[key][0] for key in keys if known.get(key) and known[key][0].seen}
        if self.deletes or not remembered:
            return self._grouped(feed, keys, connection, statements)
        since = min(int(one.seen) for one in remembered.values()) - self.overlap // statements.tick
        recent = self._grouped(feed, keys, connection, statements, since)
        untouched = {
            key: one for key, one in remembered.items() if not recent[key].size or recent[key].stamp == one.stamp
        }
        # Partitions that also have older rows, and those that nothing is known of: all of their rows are counted.
        others = [key for key in keys if key not in untouched]
        counted = self._grouped(feed, others, connection, statements) if others else {}
        return {key: untouched.get(key) or counted[key] for key in keys}

    def _grouped(
        self,
        feed: Feed,
        keys: Sequence[str],
        connection: Connection,
        statements: Statements,
        since: int | None = None,
    ) -> dict[str, Delivered]:
        cadence = feed.source.cadence
        found = {key: Delivered(name=self.called, size=0, stamp="0 rows, watermark none, sum 0") for key in keys}
        for row in connection.execute(statements.survey(keys, since)):
            day = cadence.first + timedelta(days=int(row[0]) * cadence.days) if cadence else WHOLE
            if str(day) in found:
                found[str(day)] = self._counted(row)
        return found

    def _copy(self, feed: Feed, key: str, file: Path, *, lenient: bool) -> Delivered:
        import pyarrow.parquet as pq

        with self._asking(feed, key) as (connection, statements):
            if lenient:
                lenient_times(connection)
            schema = Reading(columns=feed.source.columns).schema()
            with pq.ParquetWriter(file, schema) as writer:
                read = self._read(feed, key, connection, statements, writer.write_batch)
            if not statements.counts:
                return read
            found = connection.execute(statements.exact(key)).one()
            furthest = connection.execute(statements.furthest()).scalar()
            return self._counted(found, "" if furthest is None else str(int(furthest)))

    def _read(
        self,
        feed: Feed,
        key: str,
        connection: Connection,
        statements: Statements,
        write: Callable[[pa.RecordBatch], None],
    ) -> Delivered:
        """All rows, a batch at a time, and the hash of them."""
        from sqlalchemy.exc import DataError

        source = feed.source
        zone = ZoneInfo(self.zone)
        typed = statements.dialect != "sqlite"
        reading = Reading(columns=source.columns, zone=zone, ambiguous=self.ambiguous, typed=typed)
        digest, rows = hashlib.sha256(), 0
        streamed = {"stream_results": True, "yield_per": BATCH}
        try:
            with closing(connection.execute(statements.rows(key), execution_options=streamed)) as result:
                refuse_nested(database_types(result), source.columns)
                for some in result.partitions():
                    batch = reading.batch(some)
                    rows += len(some)
                    write(batch)
                    if not statements.counts:
                        digest.update(batch.serialize())
        except DataError as error:
            if unloadable(error):
                raise OddTimeError from error
            raise
        reading.check()
        return Delivered(name=self.called, size=rows, stamp=digest.hexdigest())
