"""What databases do wrong, and what comes of it: tried again until it is whole, or refused with nothing lost.

In every case the partition that was loaded before stays as it was, and what was loaded is all there was at one moment.
"""

import os
import signal
import sqlite3
import time
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from platform_ml.engine.quarantine import rejected_rows
from platform_ml.engine.source import materialize_source
from platform_ml.origins.sql import BATCH
from platform_ml.origins.values import Reading
from platform_ml.spec.errors import SourceError
from platform_ml.spec.retry import Retry
from platform_ml_tests.engine.shop import contents, rows_of, stamp
from platform_ml_tests.origins.postgres import PASSWORD
from platform_ml_tests.origins.sales import DAY, FIRST, SALES, Lite, Postgres, fill, insert, patient_work, sold

MANY = 2 * BATCH + 5_000
RETRY = Retry(attempts=8, first=timedelta(seconds=0.05), longest=timedelta(seconds=0.4))
SOURCE = replace(SALES, retry=RETRY)


@pytest.fixture
def shop(server, database, monkeypatch):
    """Some rows on the first day, and more than a batch on the second."""
    found = Postgres(server, database)
    monkeypatch.setenv("SALES_URL", found.url)
    fill(found, sold(1, at=f"{FIRST} 12:00:00+00"), sold(2, at=f"{FIRST} 13:00:00+00"))
    found.execute(
        "INSERT INTO sales (id, shop, amount, at, updated_at) "
        f"SELECT n, 'a', 1, '{DAY}', '2024-04-02' FROM generate_series(1, {MANY}) AS n"
    )
    return found


@pytest.fixture
def work(tmp_path, shop):
    """The first day is loaded; waits are real, and short."""
    made, _ = patient_work(tmp_path, time.sleep)
    load(made, [FIRST])
    return made


def load(work, keys, source=SOURCE, token=1):
    return materialize_source(source, keys, work=work, stamp=stamp(token))


def patient(work, pause=lambda seconds: None):
    """The same with other waits, and what is said."""
    said, waits = [], []

    def wait(seconds):
        waits.append(seconds)
        pause(seconds)

    return replace(work, platform=replace(work.platform, pause=wait), say=said.append), said, waits


def in_the_middle(monkeypatch, act):
    """Do something once, after the first batch was read and before the second."""
    batch, seen = Reading.batch, []

    def spied(reading, rows):
        seen.append(len(rows))
        if len(seen) == 2:
            act()
        return batch(reading, rows)

    monkeypatch.setattr(Reading, "batch", spied)
    return seen


def reader(shop):
    """The process of the server that reads at the moment."""
    ((pid,),) = shop.server.execute(
        "SELECT pid FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()", [shop.database]
    )
    return pid


def wait_until_there(shop):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with suppress(psycopg.OperationalError):
            return shop.server.execute("SELECT 1")
        time.sleep(0.05)
    raise AssertionError("the server did not come back")


def terminated(shop):
    shop.server.execute("SELECT pg_terminate_backend(%s)", [reader(shop)])


def killed(shop):
    os.kill(reader(shop), signal.SIGKILL)
    time.sleep(0.05)
    wait_until_there(shop)


def restarted(shop):
    shop.server.crash()
    shop.server.start()


@pytest.mark.parametrize("act", [terminated, killed, restarted])
def test_a_connection_that_is_lost_while_rows_are_read(shop, work, monkeypatch, act):
    before = contents(work, SOURCE)
    seen = in_the_middle(monkeypatch, lambda: act(shop))
    told, said, waits = patient(work, time.sleep)
    load(told, [DAY])
    assert len(rows_of(work, SOURCE, [DAY])) == MANY
    assert sum(seen[2:]) >= MANY  # all over again: nothing of the first attempt is used
    assert len(waits) >= 1
    assert (
        "attempt 1 of 8 failed (connection): shop/sales, partition 2024-03-31: table sales in postgresql://" in said[0]
    )
    assert contents(work, SOURCE).items() >= before.items()


def test_a_server_that_is_down_for_a_while(shop, work):
    shop.server.crash()
    told, said, waits = patient(work, lambda _: shop.server.start() if len(waits) == 3 else None)
    load(told, [DAY])
    assert len(waits) == 3
    assert "Connection refused" in said[2]
    assert len(rows_of(work, SOURCE, [DAY])) == MANY


def test_a_server_that_stays_down(shop, work):
    before = contents(work, SOURCE)
    shop.server.crash()
    told, _, waits = patient(work)
    with pytest.raises(SourceError, match=r"Connection refused.* It was tried 8 times\.") as error:
        load(told, [DAY])
    shop.server.start()
    assert PASSWORD not in str(error.value)
    assert (len(waits), contents(work, SOURCE)) == (7, before)
    load(told, [DAY])
    assert len(rows_of(work, SOURCE, [DAY])) == MANY


def test_rows_that_change_while_they_are_read_are_read_as_they_were(shop, work, monkeypatch):
    seen = in_the_middle(
        monkeypatch, lambda: shop.execute("UPDATE sales SET amount = 2", "DELETE FROM sales WHERE id % 2 = 0")
    )
    load(work, [DAY])
    rows = rows_of(work, SOURCE, [DAY])
    assert (len(rows), {row["amount"] for row in rows}, len(seen)) == (MANY, {1}, 3)
    load(work, [DAY], token=2)
    rows = rows_of(work, SOURCE, [DAY])
    assert (len(rows), {row["amount"] for row in rows}) == (MANY // 2, {2})


FINAL = {
    "wrong password": ({"password": "hunter2"}, "password authentication failed"),
    "no such account": ({"user": "nobody_there"}, "password authentication failed"),
    "no such database": ({"database": "nowhere"}, 'database "nowhere" does not exist'),
}


@pytest.mark.parametrize("what", FINAL)
def test_what_no_second_attempt_would_change(shop, work, monkeypatch, what):
    changes, message = FINAL[what]
    monkeypatch.setenv("SALES_URL", shop.server.url(**{"database": shop.database} | changes))
    refused(work, message)


STATEMENTS = {
    "table renamed": ("ALTER TABLE sales RENAME TO sale", r"relation \"sales\" does not exist.*Did you mean 'sale'\?"),
    "table dropped": ("DROP TABLE sales", 'relation "sales" does not exist'),
    "column renamed": (
        "ALTER TABLE sales RENAME amount TO amuont",
        r"column 'amount' is missing\. Did you mean 'amuont'",
    ),
    "column dropped": ("ALTER TABLE sales DROP shop", r"column 'shop' is missing\. There are: 'id', 'amount'"),
    "column retyped": (
        "ALTER TABLE sales ALTER id TYPE text",
        "column 'id' holds text, declared is BIGINT. Have a query cast it",
    ),
    "time retyped": ("ALTER TABLE sales ALTER at TYPE text", "column 'at' is text, declared is TIMESTAMPTZ"),
    "truth retyped": (
        "ALTER TABLE sales ALTER paid TYPE int USING 1",
        "column 'paid' holds whole numbers, declared is BOOLEAN",
    ),
    "permission taken away": (
        "GRANT SELECT (id) ON sales TO reader; REVOKE SELECT (id) ON sales FROM reader",
        "permission denied for table sales",
    ),
    "a function that writes": (
        (
            "ALTER TABLE sales RENAME TO stock; CREATE TABLE seen (n int); "
            "CREATE FUNCTION note() RETURNS int LANGUAGE sql AS 'INSERT INTO seen VALUES (1) RETURNING n'; "
            "CREATE VIEW sales AS SELECT stock.* FROM stock WHERE note() = 1"
        ),
        "cannot execute INSERT in a read-only transaction",
    ),
    "a division by zero": (
        (
            "ALTER TABLE sales RENAME TO stock; "
            "CREATE VIEW sales AS SELECT id, shop, amount / (id - 7) AS amount, weight, paid, at, updated_at FROM stock"
        ),
        "division by zero",
    ),
}


@pytest.mark.parametrize("what", STATEMENTS)
def test_what_is_there_no_more(shop, work, monkeypatch, what):
    statements, message = STATEMENTS[what]
    user = {}
    if "reader" in statements:
        shop.server.execute("DROP ROLE IF EXISTS reader")
        shop.server.execute("CREATE ROLE reader LOGIN PASSWORD 'hunter4'")
        user = {"user": "reader", "password": "hunter4"}
        monkeypatch.setenv("SALES_URL", shop.server.url(shop.database, **user))
    shop.execute(*statements.split("; "))
    refused(work, message)


def refused(work, message):
    before = contents(work, SOURCE)
    told, said, waits = patient(work)
    with pytest.raises(SourceError, match=message) as error:
        load(told, [DAY])
    assert waits == said == []
    assert str(error.value).startswith("shop/sales, partition 2024-03-31: table sales in postgresql://127.0.0.1:")
    assert "hunter2" not in str(error.value)
    assert PASSWORD not in str(error.value)
    assert contents(work, SOURCE) == before


RAISED = {"serialization failure": ("40001", "conflict"), "deadlock": ("40P01", "conflict")}


@pytest.mark.parametrize("what", RAISED)
def test_somebody_else_was_first(shop, work, what):
    state, fault = RAISED[what]
    shop.execute(
        "CREATE TABLE fault (there bool)",
        "INSERT INTO fault VALUES (true)",
        "CREATE FUNCTION calm() RETURNS bool LANGUAGE plpgsql AS $$ BEGIN IF (SELECT there FROM fault) THEN "
        f"RAISE EXCEPTION 'in the way' USING ERRCODE = '{state}'; END IF; RETURN true; END $$",
        "ALTER TABLE sales RENAME TO stock",
        "CREATE VIEW sales AS SELECT stock.* FROM stock WHERE calm()",
    )
    told, said, waits = patient(work, lambda _: shop.execute("UPDATE fault SET there = false"))
    load(told, [DAY])
    assert len(waits) == 1
    assert f"({fault})" in said[0]
    assert len(rows_of(work, SOURCE, [DAY])) == MANY


LIMITS = {"lock_timeout": "conflict", "statement_timeout": "timeout"}


@pytest.mark.parametrize("limit", LIMITS)
def test_a_table_that_is_locked(shop, work, monkeypatch, limit):
    monkeypatch.setenv("SALES_URL", shop.server.url(shop.database, options=f"-c {limit}=100"))
    with shop.server.connection(shop.database) as holder:
        holder.execute("LOCK TABLE sales IN ACCESS EXCLUSIVE MODE")
        told, said, waits = patient(work, lambda _: holder.rollback() if len(waits) == 2 else None)
        load(told, [DAY])
    assert len(waits) == 2
    assert all(f"({LIMITS[limit]})" in one for one in said[:2])
    assert len(rows_of(work, SOURCE, [DAY])) == MANY


def test_too_many_connections(shop, work, monkeypatch):
    shop.server.execute("DROP ROLE IF EXISTS crowd")
    shop.server.execute("CREATE ROLE crowd LOGIN PASSWORD 'hunter5' CONNECTION LIMIT 0")
    shop.execute("GRANT SELECT ON sales TO crowd")
    crowd = {"user": "crowd", "password": "hunter5"}
    monkeypatch.setenv("SALES_URL", shop.server.url(shop.database, **crowd))
    told, said, _ = patient(work, lambda _: shop.server.execute("ALTER ROLE crowd CONNECTION LIMIT 5"))
    load(told, [DAY])
    assert "too many connections" in said[0]
    assert len(rows_of(work, SOURCE, [DAY])) == MANY


def test_null_keys_duplicate_keys_and_rows_without_a_time(shop, work):
    shop.execute("DELETE FROM sales WHERE id > 2")
    insert(shop, sold(3, id=None), sold(4), sold(4, amount=2), sold(5, at=None))
    (done,) = load(work, [FIRST, DAY])
    assert not done.stopped
    assert [row["id"] for row in rows_of(work, SOURCE, [DAY])] == [1, 2, 4]
    kept = [(row.partition, row.reasons) for row in rejected_rows(SOURCE, work=work)]
    assert kept == [(FIRST, "at is null"), (DAY, "repeats the key (id) of an earlier row"), (DAY, "id is null")]


# SQLite


@pytest.fixture
def lite(tmp_path, monkeypatch):
    found = Lite(tmp_path / "shop.db")
    monkeypatch.setenv("SALES_URL", f"{found.url}?timeout=0.05")
    fill(found, sold(1), sold(2))
    return found


def test_a_writer_that_holds_the_file(lite, tmp_path):
    work, said = patient_work(tmp_path, lambda _: holder.rollback())
    holder = sqlite3.connect(lite.file, check_same_thread=False)
    holder.execute("BEGIN EXCLUSIVE")
    load(work, [DAY])
    holder.close()
    assert "failed (conflict)" in said[0]
    assert "database is locked" in said[0]
    assert [row["id"] for row in rows_of(work, SOURCE, [DAY])] == [1, 2]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda whole: b"<html>503</html>\n" * 100, "file is not a database"),
        (lambda whole: b"", "no such table: sales"),
        (lambda whole: whole[:5000] + b"\xff" * (len(whole) - 5000), "malformed"),
    ],
    ids=["a page of a web server", "nothing", "overwritten"],
)
def test_a_file_that_is_no_database(lite, tmp_path, content, message):
    lite.file.write_bytes(content(lite.file.read_bytes()))
    work, said = patient_work(tmp_path, lambda _: None)
    with pytest.raises(SourceError, match=message):
        load(work, [DAY])
    assert said == []
    assert work.platform.tables.snapshot("shop/sales") is None
