"""What a database is asked: the rows of a partition, and how much of them there is, as statements of SQLAlchemy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from platform_ml.spec.window import moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, FromClause, Select
    from sqlalchemy.sql.elements import SQLCoreOperations

    from platform_ml.spec.window import Cadence

    Statement = Select[*tuple[Any, ...]]

COUNTING = ("postgresql", "sqlite")
"""Databases that can be asked for a checksum of times, and for the partition that a time belongs to."""
RESIDUE = 2_147_483_647
"""Checksums add up remainders by this prime, so that no sum is too large for 64 bits."""
PARTITION, ROWS, GREATEST, CHECKSUM = "_partition", "_rows", "_greatest", "_checksum"


@dataclass(frozen=True, kw_only=True)
class Statements:
    """The statements of one source in one kind of database."""

    dialect: str
    table: str | None
    query: str | None
    columns: Sequence[str]
    key: Sequence[str]
    event_time: str | None
    cadence: Cadence | None
    zone: str
    watermark: str | None = None
    timed: bool = True
    """Whether the watermark is a time; otherwise it is a whole number."""

    def shape(self) -> Statement:
        """No rows, but all columns that there are."""
        from sqlalchemy import false, literal_column, select

        return select(literal_column("*")).select_from(self._relation(None)).where(false())

    def rows(self, key: str) -> Statement:
        """The rows of a partition, in one order however they lie: by key, then by what is left."""
        from sqlalchemy import column, select

        order = [*self.key, *(name for name in self.columns if name not in self.key)]
        chosen: Statement = select(*map(column, self.columns)).select_from(self._relation(self.columns))
        return chosen.where(*self._inside(key)).order_by(*map(column, order))

    def exact(self, key: str) -> Statement:
        """How many rows the partition has, their greatest watermark, and a checksum of all watermarks."""
        from sqlalchemy import select

        return select(*self._measures()).select_from(self._relation(None)).where(*self._inside(key))

    def furthest(self) -> Statement:
        """The greatest watermark of all rows, of whichever partition."""
        from sqlalchemy import column, func, select

        return select(self._ticks(func.max(column(str(self.watermark))))).select_from(self._relation(None))

    def survey(self, keys: Sequence[str], since: int | None = None) -> Statement:
        """The same as `exact` of many partitions; where `since` is told, only of rows with a later watermark, or none.

        The first column numbers the partitions from the cadence's first one; rows without a time are in that.
        """
        from sqlalchemy import column, func, literal, or_, select

        place = func.coalesce(self._number(), literal(0)).label(PARTITION)
        asked = select(place, *self._measures()).select_from(self._relation(None)).where(*self._between(keys))
        if since is not None:
            mark: SQLCoreOperations[Any] = column(str(self.watermark))
            later = self._ticks(mark) > since
            if self.timed and self.dialect == "postgresql":
                later = mark > datetime.fromtimestamp(0, UTC) + timedelta(microseconds=since)
            asked = asked.where(or_(later, mark.is_(None)))
        return asked.group_by(place)

    @property
    def counts(self) -> bool:
        """Whether the state of partitions can be counted; otherwise their rows have to be read."""
        return self.watermark is not None and self.dialect in COUNTING

    @property
    def surveys(self) -> bool:
        """Whether one statement tells the state of many partitions."""
        return self.counts and (self.dialect == "postgresql" or self.zone == "UTC")

    @property
    def tick(self) -> timedelta:
        """What a watermark that is a time counts in."""
        return timedelta(microseconds=1) if self.dialect == "postgresql" else timedelta(milliseconds=1)

    def _relation(self, names: Sequence[str] | None) -> FromClause:
        from sqlalchemy import column, table, text

        if self.query is not None:
            # A colon is no parameter here, and columns are told for the sake of SQLAlchemy only.
            escaped = text(self.query.replace(":", r"\:"))
            return escaped.columns(*map(column, names or self.columns)).subquery("delivered")
        schema, _, name = str(self.table).rpartition(".")
        return table(name, schema=schema or None)

    def _inside(self, key: str) -> list[ColumnElement[bool]]:
        return self._between([key])

    def _between(self, keys: Sequence[str]) -> list[ColumnElement[bool]]:
        """From the beginning of the first partition to the end of the last, half-open; the first has rows without."""
        from sqlalchemy import column, func, or_

        if self.cadence is None or self.event_time is None:
            return []
        days = sorted(self.cadence.day(key) for key in keys)
        start, end = moment(days[0]), moment(days[-1]) + timedelta(days=self.cadence.days)
        time: SQLCoreOperations[Any] = column(self.event_time)
        bounds: list[Any] = [start, end]
        if self.dialect != "postgresql":  # there, the session's zone says what a time without one means
            bounds = [at.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None) for at in bounds]
        if self.dialect == "sqlite":
            bounds = [at.isoformat(sep=" ") for at in bounds]
            time = func.datetime(column(self.event_time))
        inside = (time >= bounds[0]) & (time < bounds[1])
        return [or_(inside, time.is_(None)) if days[0] == self.cadence.first else inside]

    def _number(self) -> SQLCoreOperations[Any]:
        from sqlalchemy import TIMESTAMP, BigInteger, Integer, cast, column, extract, func, literal

        if self.cadence is None or self.event_time is None:
            return literal(0)
        time: SQLCoreOperations[Any] = column(self.event_time)
        origin, length = int(moment(self.cadence.first).timestamp()), self.cadence.days * 86_400
        if self.dialect == "sqlite":
            return (cast(func.strftime("%s", time), Integer) - origin) // length
        seconds = extract("epoch", cast(time, TIMESTAMP(timezone=True)))
        return cast(func.floor((seconds - origin) / length), BigInteger)

    def _measures(self) -> list[ColumnElement[Any]]:
        from sqlalchemy import column, func

        mark: SQLCoreOperations[Any] = column(str(self.watermark))
        ticks = self._ticks(mark)
        return [
            func.count().label(ROWS),
            self._ticks(func.max(mark)).label(GREATEST),
            func.coalesce(func.sum(ticks % RESIDUE), 0).label(CHECKSUM),
        ]

    def _ticks(self, mark: SQLCoreOperations[Any]) -> ColumnElement[Any]:
        """The watermark as a whole number."""
        from sqlalchemy import TIMESTAMP, BigInteger, Integer, cast, extract, func

        if not self.timed:
            return cast(mark, BigInteger if self.dialect == "postgresql" else Integer)
        if self.dialect == "sqlite":
            fraction = cast(func.substr(func.strftime("%f", mark), 4), Integer)
            return cast(func.strftime("%s", mark), Integer) * 1000 + fraction
        return cast(extract("epoch", cast(mark, TIMESTAMP(timezone=True))) * 1_000_000, BigInteger)
