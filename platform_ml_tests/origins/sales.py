"""What a shop sold, in a database."""

import sqlite3
from dataclasses import replace
from datetime import date

from platform_ml.engine.source import materialize_source
from platform_ml.engine.staleness import _of_source
from platform_ml.origins import SQL
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.schema import Boolean, Column, Decimal, Double, Integer, Text, Timestamp
from platform_ml.spec.source import Source
from platform_ml.spec.window import Daily
from platform_ml_tests.engine.shop import rows_of, stamp, work_in

FIRST, DAY, LAST = "2024-03-30", "2024-03-31", "2024-04-01"
"""In much of Europe the clock is put forward in the second night."""
KEYS = [FIRST, DAY, LAST]
SALES = Source(
    name="sales",
    description="What was sold.",
    columns=(
        Column("id", Integer()),
        Column("shop", Text(), nullable=True),
        Column("amount", Decimal(9, 2), nullable=True),
        Column("weight", Double(), nullable=True),
        Column("paid", Boolean(), nullable=True),
        Column("at", Timestamp()),
        Column("updated_at", Timestamp(), nullable=True),
    ),
    key=("id",),
    event_time="at",
    cadence=Daily(first=date(2024, 3, 30), last=date(2024, 4, 1)),
    origin=SQL(url="env:SALES_URL", table="sales"),
    max_rejected_share=0.75,
)
POSTGRES = """CREATE TABLE sales (
    id bigint, shop text, amount numeric, weight double precision, paid boolean, at timestamptz, updated_at timestamptz
)"""
SQLITE = (
    "CREATE TABLE sales (id integer, shop text, amount numeric, weight real, paid integer, at text, updated_at text)"
)
NAMES = ("id", "shop", "amount", "weight", "paid", "at", "updated_at")


def sold(number, **changes):
    """One row."""
    row = {"id": number, "shop": "Köln", "amount": 1.5, "weight": 2.5, "paid": True, "at": f"{DAY} 12:00:00+00"}
    return row | {"updated_at": f"2024-04-02 00:00:{number % 60:02}+00"} | changes


class Postgres:
    """The table in PostgreSQL."""

    kind, table = "postgresql", POSTGRES

    def __init__(self, server, database):
        self.server, self.database = server, database
        self.url = server.url(database)

    def execute(self, *statements):
        """Each with its values, where it has any; committed together. Returns the rows of the last one."""
        with self.server.connection(self.database) as connection:
            for sql, *values in (one if isinstance(one, tuple) else (one,) for one in statements):
                done = connection.execute(sql.replace("?", "%s"), *values)
            return done.fetchall() if done.description else []


class Lite:
    """The table in SQLite."""

    kind, table = "sqlite", SQLITE

    def __init__(self, file):
        self.file = file
        self.url = f"sqlite:///{file}"

    def execute(self, *statements):
        connection = sqlite3.connect(self.file)
        with connection:
            for sql, *values in (one if isinstance(one, tuple) else (one,) for one in statements):
                found = connection.execute(sql, *values).fetchall()
        connection.close()
        return found


def fill(shop, *rows):
    """The table, with these rows."""
    shop.execute(shop.table, *(inserted(shop, row) for row in rows))


def insert(shop, *rows):
    shop.execute(*(inserted(shop, row) for row in rows))


def inserted(shop, row):
    names = [name for name in NAMES if name in row]
    values = [row[name] for name in names]
    if shop.kind == "sqlite":
        values = [f"{value}:00" if isinstance(value, str) and value.endswith("+00") else value for value in values]
    return f"INSERT INTO sales ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})", values


def patient_work(folder, pause):
    """A platform that waits as it is told."""
    said = []
    work = work_in(folder, say=said.append)
    return replace(work, platform=replace(work.platform, pause=pause)), said


def source(**changes):
    """The source, read in another way."""
    return replace(SALES, origin=replace(SALES.origin, **changes))


def load(some, work, keys=KEYS, token=1):
    return materialize_source(some, keys, work=work, stamp=stamp(token, fingerprint(some)))


def stale(some, work):
    found = _of_source(some, fingerprint(some), work.platform.tables.snapshot(f"shop/{some.name}"), work)
    return {key: why for key, why in found.items() if why}


def ids(some, work, key):
    return [row["id"] for row in rows_of(work, some, [key])]
