"""Rows of SQLite and of a real PostgreSQL: which ones belong to a partition, as what they come, and what changed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal as Exact

import pyarrow.parquet as pq
import pytest

from platform_ml.engine.arrivals import arrivals
from platform_ml.engine.delivery import read
from platform_ml.engine.feed import feed_of
from platform_ml.engine.quarantine import rejected_files, rejected_rows
from platform_ml.engine.staleness import CHANGED, NEVER
from platform_ml.formats import CSV
from platform_ml.origins import SQL
from platform_ml.origins.sql import BATCH
from platform_ml.spec.errors import DeclarationError, SourceError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.origin import Feed
from platform_ml.spec.source import Packaged
from platform_ml.spec.window import Weekly
from platform_ml.testing import declarations as small
from platform_ml.testing.origins import OriginContract, visits
from platform_ml_tests.engine.shop import rows_of
from platform_ml_tests.origins.sales import (
    DAY,
    FIRST,
    KEYS,
    LAST,
    SALES,
    fill,
    ids,
    insert,
    load,
    sold,
    source,
    stale,
)

WATERMARK = {"watermark": "updated_at"}
UPDATE = "UPDATE sales SET amount = 9, updated_at = ? WHERE id = 1 AND at < ?"
RECENT = {"watermark": "updated_at", "deletes": False, "overlap": timedelta(minutes=1)}


class TestSQL(OriginContract):
    always_there, keeps_order = True, False

    @pytest.fixture(params=[None, "at"])
    def origin(self, request, shop):
        shop.execute("CREATE TABLE visits (id bigint, at timestamptz)")
        return SQL(url="env:SALES_URL", table="visits", watermark=request.param)

    @pytest.fixture
    def feed(self, origin, landing):
        return Feed(project="shop", source=replace(visits, format=None, origin=origin), landing=landing)

    def deliver(self, feed, key, ids):
        shop = self.shop
        values = ", ".join(f"({n}, '{key} 12:00:{n:02}+00:00')" for n in ids)
        shop.execute(f"DELETE FROM visits WHERE at BETWEEN '{key} 00:00:00+00:00' AND '{key} 23:59:59+00:00'")
        if values:
            shop.execute(f"INSERT INTO visits VALUES {values}")

    @pytest.fixture(autouse=True)
    def _here(self, shop):
        self.shop = shop

    def ids(self, feed, path):
        return pq.read_table(path)["id"].to_pylist()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"url": "postgresql://me:hunter2@db/shop"}, "url names the environment variable"),
        ({"url": "SALES_URL"}, "like 'env:SHOP_URL'"),
        ({"table": None}, "declare a table or a query, and not both"),
        ({"query": "SELECT 1"}, "declare a table or a query, and not both"),
        ({"table": "sales."}, "'sales.' names no table"),
        ({"table": None, "query": "DELETE FROM sales"}, "query is one SELECT without a semicolon"),
        ({"table": None, "query": "SELECT 1; DROP TABLE sales"}, "query is one SELECT without a semicolon"),
        ({"zone": "Europe/Berlim"}, r"no time zone 'Europe/Berlim'\. Did you mean 'Europe/Berlin'\?"),
        ({"ambiguous": "both"}, "ambiguous is 'refuse', 'first' or 'second', not 'both'"),
        ({"overlap": timedelta(-1)}, "overlap is negative"),
        ({"deletes": False}, "without deletes, a watermark says what is new"),
    ],
)
def test_a_wrong_origin_cannot_be_made(changes, message):
    with pytest.raises(DeclarationError, match=message) as error:
        source(**changes)
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": CSV()}, "a database has types of its own and no format"),
        ({"example": Packaged(distribution="shop", path="a.csv")}, "example data is delivered as files"),
        ({"origin": None}, "its files need a format. Declare one, like format=Parquet()"),
        (
            {"origin": replace(SALES.origin, watermark="update_at")},
            r"has no column 'update_at'\. Did you mean 'updated_at'",
        ),
        ({"origin": replace(SALES.origin, watermark="shop")}, "watermark 'shop' must be a Timestamp or an Integer"),
        ({"origin": replace(SALES.origin, watermark="id", deletes=False)}, "the watermark must be a Timestamp"),
    ],
)
def test_a_source_that_a_database_cannot_deliver_is_refused(changes, message):
    with pytest.raises(DeclarationError, match=message):
        replace(SALES, **changes)


def test_how_changes_are_told_is_no_part_of_what_rows_are():
    assert fingerprint(source(**RECENT)) == fingerprint(SALES)
    assert fingerprint(source(zone="Europe/Berlin")) != fingerprint(SALES)


def test_a_partition_is_the_rows_of_its_time_half_open(shop, work):
    fill(
        shop,
        sold(1, at=f"{FIRST} 23:59:59.999+00"),
        sold(3, at=f"{DAY} 00:00:00+00"),
        sold(2, at=f"{DAY} 23:59:59.999+00"),
        sold(4, at=f"{LAST} 00:00:00+00"),
        sold(5, at="2024-03-29 23:59:59+00"),
    )
    load(SALES, work)
    assert [ids(SALES, work, key) for key in KEYS] == [[1], [2, 3], [4]]
    assert list(rejected_rows(SALES, work=work)) == []


def test_values_come_as_they_were_declared(shop, work):
    fill(shop, sold(1, amount=12.30, paid=False), sold(2, shop=None, amount=None, weight=None, paid=None))
    load(SALES, work, [DAY])
    one, two = rows_of(work, SALES, [DAY])
    noon = datetime(2024, 3, 31, 12, tzinfo=UTC)
    assert one == {
        "id": 1,
        "shop": "Köln",
        "amount": Exact("12.30"),
        "weight": 2.5,
        "paid": False,
        "at": noon,
        "updated_at": datetime(2024, 4, 2, 0, 0, 1, tzinfo=UTC),
    }
    assert [two[name] for name in ("shop", "amount", "weight", "paid")] == [None] * 4


def test_a_source_without_a_cadence_is_everything(shop, work):
    fill(shop, *(sold(n, at=f"20{n}-01-01 00:00:00+00") for n in (12, 24)))
    whole = replace(SALES, event_time=None, cadence=None)
    load(whole, work, ["all"])
    assert ids(whole, work, "all") == [12, 24]


def test_a_query_may_stand_for_the_table(shop, work):
    fill(shop, *(sold(n) for n in range(4)))
    text = "WITH odd AS (SELECT * FROM sales WHERE id % 2 = 1 AND ':x' <> '%s') SELECT odd.*, 1 AS more FROM odd"
    asked = source(table=None, query=text)
    load(asked, work, [DAY])
    assert ids(asked, work, DAY) == [1, 3]
    assert asked.origin.place(feed_of(asked, work), DAY).startswith("a query in ")


def test_the_order_of_rows_in_the_database_is_nothing(shop, work):
    fill(shop, sold(2), sold(1), sold(1, shop="Aachen"))
    first = read(SALES, DAY, work=work)
    shop.execute("DELETE FROM sales")
    insert(shop, sold(1, shop="Aachen"), sold(1), sold(2))
    second = read(SALES, DAY, work=work)
    assert first.state == second.state
    assert first.accepted.equals(second.accepted)
    assert first.rejected.equals(second.rejected)
    assert first.rejected["reasons"].to_pylist() == ["repeats the key (id) of an earlier row"]


def test_many_rows_come_in_batches(pg, work):
    fill(pg)
    count = 2 * BATCH + 17
    pg.execute(
        f"INSERT INTO sales SELECT n, 'a', 1, 1, true, '{DAY}', '2024-04-02' FROM generate_series(1, {count}) AS n"
    )
    with SALES.origin.fetch(feed_of(SALES, work), DAY) as fetched:
        written = pq.ParquetFile(fetched.path).metadata
        assert (written.num_rows, written.num_row_groups) == (count, 3)
        assert fetched.state == SALES.origin.state(feed_of(SALES, work), DAY)
    assert not fetched.path.exists()


def test_what_is_refused_is_kept_whole(shop, work):
    fill(shop, *(sold(n, at=None) for n in range(3)), sold(4, at=f"{FIRST} 01:00:00+00"))
    strict = replace(SALES, max_rejected_share=0.5)
    (done,) = load(strict, work, [FIRST])
    assert "3 of 4 rows rejected" in done.stopped[0].reason
    assert "have table sales in " in done.stopped[0].reason
    (kept,) = rejected_files(strict, work=work)
    assert (kept.name, pq.read_table(kept.path).num_rows) == ("sales", 4)


# Environment


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (None, r"variable SALES_URL is not set\. Did you mean 'SALES_URI'\? Set it to the database's URL"),
        (" ", "variable SALES_URL is empty"),
        ("hunter2", "SALES_URL holds no URL of a database"),
        ("mysql+aiosqlx://me:hunter2@db/shop", "which SQLAlchemy does not know"),
        (
            "postgresql+pg8000://me:hunter2@db/shop",
            "driver pg8000, which is not installed. Run: pip install 'pg8000'",
        ),
        ("sqlite:////nowhere/shop.db", r"There is no database /nowhere/shop\.db"),
    ],
)
def test_where_the_database_is_has_to_be_known(url, message, work, monkeypatch):
    monkeypatch.setenv("SALES_URI", "sqlite://")
    monkeypatch.delenv("SALES_URL", raising=False)
    if url is not None:
        monkeypatch.setenv("SALES_URL", url)
    with pytest.raises(SourceError, match=message) as error:
        read(SALES, DAY, work=work)
    assert "hunter2" not in str(error.value)


def test_a_missing_driver_is_named_with_what_installs_it(work, monkeypatch):
    monkeypatch.setenv("SALES_URL", "postgresql://me:hunter2@db/shop")
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(SourceError, match=r"Run: pip install 'platform_ml\[postgres\]'"):
        read(SALES, DAY, work=work)


def test_people_see_where_it_is_and_no_secret(monkeypatch, work):
    feed = feed_of(SALES, work)
    monkeypatch.setenv("SALES_URL", "postgresql://me:hunter2@db.example:5433/shop?sslpassword=hunter3")
    assert SALES.origin.place(feed, DAY) == "table sales in postgresql://db.example:5433/shop"
    monkeypatch.delenv("SALES_URL")
    assert SALES.origin.place(feed, DAY) == "table sales in env:SALES_URL"


# Values that are none


# What changed


@pytest.mark.parametrize("told", [{}, WATERMARK, RECENT], ids=["rows", "watermark", "recent"])
def test_what_did_not_change_is_told_without_loading(shop, work, told):
    fill(shop, *(sold(n, at=f"{key} 0{n}:00:00+00") for key in KEYS for n in range(3)))
    some = source(**told)
    feed = feed_of(some, work)
    assert stale(some, work) == dict.fromkeys(KEYS, NEVER)
    load(some, work)
    assert stale(some, work) == {}
    known = {key: state.manifest for key, state in work.platform.tables.snapshot("shop/sales").partitions.items()}
    states = some.origin.states(feed, KEYS, known)
    assert states == {key: some.origin.state(feed, key) for key in KEYS}
    before = work.platform.tables.snapshot("shop/sales").version
    load(some, work, token=2)
    assert work.platform.tables.snapshot("shop/sales").version == before


@pytest.mark.parametrize("told", [{}, WATERMARK, RECENT], ids=["rows", "watermark", "recent"])
def test_an_update_an_insert_and_a_late_commit_are_seen(shop, work, told):
    fill(shop, *(sold(n, at=f"{key} 0{n}:00:00+00") for key in KEYS for n in range(3)))
    some = source(**told)
    load(some, work)
    shop.execute(
        ("UPDATE sales SET amount = 9, updated_at = '2024-04-03 00:00:00+00:00' WHERE id = 1 AND at < ?", [DAY])
    )
    assert stale(some, work) == {FIRST: CHANGED}
    insert(shop, sold(7, at=f"{LAST} 07:00:00+00", updated_at="2024-04-03 00:00:01+00"))
    assert stale(some, work) == {FIRST: CHANGED, LAST: CHANGED}
    load(some, work, [FIRST, LAST], token=2)
    assert stale(some, work) == {}
    # A transaction that began earlier becomes visible: its watermark is older than what was seen.
    late = "UPDATE sales SET amount = 8, updated_at = '2024-04-02 00:00:01.500000+00:00' WHERE id = 2 AND at < ?"
    shop.execute((late, [DAY]))
    assert stale(some, work) == {FIRST: CHANGED}
    load(some, work, [FIRST], token=3)
    assert stale(some, work) == {}
    assert [row["amount"] for row in rows_of(work, some, [FIRST])] == [Exact("1.5"), Exact(9), Exact(8)]


@pytest.mark.parametrize("told", [{}, WATERMARK], ids=["rows", "watermark"])
def test_deleted_and_moved_rows_are_seen(shop, work, told):
    fill(shop, *(sold(n, at=f"{key} 0{n}:00:00+00") for key in KEYS for n in range(3)))
    some = source(**told)
    load(some, work)
    shop.execute(("DELETE FROM sales WHERE id = 0 AND at < ?", [DAY]))
    assert stale(some, work) == {FIRST: CHANGED}
    shop.execute((f"UPDATE sales SET at = '{LAST} 09:00:00+00:00', id = 9 WHERE id = 0 AND at < ?", [LAST]))
    assert stale(some, work) == dict.fromkeys(KEYS, CHANGED)
    load(some, work, token=2)
    assert [ids(some, work, key) for key in KEYS] == [[1, 2], [1, 2], [0, 1, 2, 9]]


def test_what_was_not_loaded_when_it_changed_is_still_seen_later(shop, work):
    fill(shop, *(sold(n, at=f"{key} 0{n}:00:00+00") for key in KEYS for n in range(3)))
    some = source(**RECENT)
    load(some, work)
    shop.execute(
        ("UPDATE sales SET amount = 9, updated_at = '2024-04-05 00:00:00+00:00' WHERE id = 1 AND at < ?", [DAY])
    )
    insert(shop, sold(7, at=f"{LAST} 07:00:00+00", updated_at="2024-04-09 00:00:00+00"))
    load(some, work, [LAST], token=2)  # of the two that changed, only one was loaded
    assert stale(some, work) == {FIRST: CHANGED}


def test_without_deletes_only_recent_rows_are_looked_at(shop, work):
    fill(shop, *(sold(n, at=f"{key} 0{n}:00:00+00", updated_at=f"{key} 23:00:00+00") for n, key in enumerate(KEYS)))
    some = source(**RECENT)
    load(some, work)
    shop.execute(f"UPDATE sales SET amount = 8, updated_at = '{FIRST} 23:30:00+00:00' WHERE id = 0")
    insert(shop, sold(3, at=f"{DAY} 05:00:00+00", updated_at=f"{DAY} 23:30:00+00"))
    assert stale(some, work) == {}  # both became visible later than the overlap allows
    assert stale(source(**RECENT | {"overlap": timedelta(days=3)}), work) == {FIRST: CHANGED, DAY: CHANGED}


def test_arrivals_are_told_of_databases_too(shop, work):
    fill(shop, *(sold(n, at=f"{key} 0{n}:00:00+00") for key in KEYS for n in range(3)))
    some = source(**WATERMARK)
    load(some, work, [FIRST, DAY])
    shop.execute((UPDATE, ["2024-04-03 00:00:00+00:00", DAY]))
    found = arrivals(replace(small.shop, outputs=()), work, only=some)
    assert [(one.partition, one.status) for one in found] == [(FIRST, "changed"), (DAY, "up to date"), (LAST, "new")]


def test_rows_without_a_watermark_count(shop, work):
    fill(shop, sold(1, updated_at=None), sold(2))
    some = source(**RECENT)
    load(some, work)
    assert stale(some, work) == {}
    insert(shop, sold(3, updated_at=None))
    assert stale(some, work) == {DAY: CHANGED}


def test_a_watermark_may_be_a_number(shop, work):
    fill(shop, sold(1), sold(2))
    some = source(watermark="id")
    load(some, work)
    assert stale(some, work) == {}
    shop.execute("UPDATE sales SET id = 5 WHERE id = 1")
    assert stale(some, work) == {DAY: CHANGED}


def test_a_run_that_never_committed_leaves_no_trace(shop, work):
    fill(shop, sold(1))
    some = source(**RECENT)
    read(some, DAY, work=work)
    assert stale(some, work) == dict.fromkeys(KEYS, NEVER)


def test_weeks_and_tables_without_a_cadence_are_surveyed_too(shop, work):
    fill(shop, *(sold(n, at=f"2024-04-{n:02} 00:00:00+00") for n in (1, 7, 8, 14)))
    first = datetime(2024, 4, 1, tzinfo=UTC).date()
    weekly = replace(source(**WATERMARK), cadence=Weekly(first=first, last=first + timedelta(days=7)))
    load(weekly, work, ["2024-04-01", "2024-04-08"])
    assert [ids(weekly, work, key) for key in ("2024-04-01", "2024-04-08")] == [[1, 7], [8, 14]]
    assert stale(weekly, work) == {}
    shop.execute("UPDATE sales SET updated_at = '2024-04-20 00:00:00+00:00' WHERE id = 7")
    assert stale(weekly, work) == {"2024-04-01": CHANGED}
    whole = replace(source(**WATERMARK), name="whole", event_time=None, cadence=None)
    load(whole, work, ["all"])
    assert stale(whole, work) == {}
    shop.execute("DELETE FROM sales WHERE id = 1")
    assert stale(whole, work) == {"all": CHANGED}
