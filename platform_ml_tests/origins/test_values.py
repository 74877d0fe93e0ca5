"""Values of SQLite and of a real PostgreSQL: as what they come, what is refused, and which moment a time is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from platform_ml.engine.quarantine import rejected_rows
from platform_ml.engine.staleness import NEVER
from platform_ml.spec.errors import SourceError
from platform_ml.spec.schema import Column, Integer, Text
from platform_ml_tests.engine.shop import rows_of
from platform_ml_tests.origins.sales import (
    DAY,
    FIRST,
    KEYS,
    LAST,
    SALES,
    Lite,
    fill,
    ids,
    insert,
    load,
    sold,
    source,
    stale,
)


def reasons(work, some=SALES):
    return {row.row: row.reasons for row in rejected_rows(some, work=work)}


def test_sqlite_keeps_anything_in_any_column(tmp_path, work, monkeypatch):
    shop = Lite(tmp_path / "shop.db")
    monkeypatch.setenv("SALES_URL", shop.url)
    rows = [
        sold(1),
        sold(2, amount=1.239),
        sold(3, amount="many"),
        sold(4, weight="heavy"),
        sold(5, paid=2),
        sold(6, shop="a\0b"),
        sold(7, shop=b"K\xf6ln"),
        sold(8, at="2024-03-31 25:00:00"),
        sold(9, at="yesterday"),
        sold(10, amount=10_000_000),
        sold(11, weight=float("inf")),
        sold(12, shop=5),
    ]
    fill(shop, *rows, sold(0, id="x"), sold(0, id=None), sold(0, id=2**62 * 1.0))
    shop.execute("INSERT INTO sales (id, shop, at) VALUES (13, CAST(x'4bf66c6e' AS text), '2024-03-31')")
    load(replace(SALES, max_rejected_share=1), work, [FIRST, DAY])
    assert ids(SALES, work, DAY) == [1, 12, 2**62]
    found = {(row.partition, row.reasons): row.record for row in rejected_rows(SALES, work=work)}
    assert sorted(found) == [
        (FIRST, "at is not a TIMESTAMPTZ"),
        (DAY, "amount has more than 2 digits after the point"),
        (DAY, "amount is not a DECIMAL(9,2)"),
        (DAY, "id is not a BIGINT"),
        (DAY, "id is null"),
        (DAY, "paid is not a BOOLEAN"),
        (DAY, "shop holds a NUL"),
        (DAY, "shop is not a VARCHAR"),
        (DAY, "shop is not utf-8 text"),
        (DAY, "weight is not a DOUBLE"),
        (DAY, "weight is not a finite number"),
    ]
    assert '"id": 4, "shop": "Köln", "amount": 1.5, "weight": "heavy"' in found[DAY, "weight is not a DOUBLE"]
    assert r"K\\xf6ln" in found[DAY, "shop is not a VARCHAR"]


def test_postgresql_has_numbers_and_times_that_are_none(pg, work):
    fill(pg, sold(1), sold(2, amount="NaN"), sold(3, weight="-infinity"), sold(4, updated_at="infinity"))
    long, large = "1.500000000000000000000000000000000000000000", "123456789012345678901234567890.5"
    insert(pg, sold(5, updated_at="0044-03-15 12:00:00 BC"), sold(6, amount="1.005"))
    insert(pg, sold(7, amount=long), sold(8, amount=large))
    lenient = replace(SALES, max_rejected_share=1)
    load(lenient, work, [DAY])
    assert ids(SALES, work, DAY) == [1, 7]
    assert reasons(work) == {
        1: "amount is not a finite number",
        2: "weight is not a finite number",
        3: "updated_at is not a TIMESTAMPTZ",
        4: "updated_at is not a TIMESTAMPTZ",
        5: "amount has more than 2 digits after the point",
        7: "amount is not a DECIMAL(9,2)",
    }
    assert stale(lenient, work) == dict.fromkeys((FIRST, LAST), NEVER)
    records = [row.record for row in rejected_rows(SALES, work=work)]
    assert '"updated_at": "infinity"' in records[2]
    assert '"updated_at": "0044-03-15 12:00:00+00 BC"' in records[3]


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("text[]", "'{a}'", r"column 'shop' is text\[\], declared is VARCHAR\. Have a query take out the parts"),
        ("jsonb", "'5'", "column 'shop' is jsonb, declared is VARCHAR"),
        ("json", "'{}'", "column 'shop' is json, declared is VARCHAR"),
        ("bytea", "'a'", "column 'shop' holds bytes, declared is VARCHAR. Have a query cast it"),
        ("integer", "5", "column 'shop' holds whole numbers, declared is VARCHAR"),
        ("interval", "'1 day'", "column 'shop' holds durations, declared is VARCHAR"),
    ],
)
def test_a_column_of_another_type_is_refused(pg, work, kind, value, message):
    pg.execute(pg.table.replace("shop text", f"shop {kind}"))
    insert(pg, sold(1, shop=None))
    pg.execute(f"INSERT INTO sales (id, at, shop) VALUES (2, '{DAY}', {value})")
    with pytest.raises(SourceError, match=message):
        load(SALES, work, [DAY])


def test_whole_numbers_come_from_wherever_they_are_whole(pg, work):
    pg.execute(pg.table.replace("id bigint", "id numeric"))
    insert(pg, *(sold(3, id=number) for number in ("1", "2.0", "9223372036854775807")))
    insert(pg, *(sold(3, id=number) for number in ("9223372036854775808", "1.5", "NaN")))
    load(SALES, work, [DAY])
    assert ids(SALES, work, DAY) == [1, 2, 9223372036854775807]
    assert sorted(reasons(work).values()) == [
        "id has more than 0 digits after the point",
        "id is not a BIGINT",
        "id is not a finite number",
    ]


def test_identifiers_of_the_database_are_text(pg, work):
    pg.execute("CREATE TABLE tags (id bigint, tag uuid, day date)")
    pg.execute("INSERT INTO tags VALUES (1, '0b0b0b0b-0000-4000-8000-000000000000', '2024-03-31')")
    tags = replace(
        SALES,
        columns=(Column("id", Integer()), Column("tag", Text()), replace(SALES.column("at"), name="day")),
        event_time="day",
        origin=replace(SALES.origin, table="public.tags"),
    )
    load(tags, work, [DAY])
    assert rows_of(work, tags, [DAY]) == [
        {"id": 1, "tag": "0b0b0b0b-0000-4000-8000-000000000000", "day": datetime(2024, 3, 31, tzinfo=UTC)}
    ]


def test_names_are_quoted(pg, work):
    pg.execute('CREATE SCHEMA "My; Shop"')
    pg.execute('CREATE TABLE "My; Shop"."sales""x" AS SELECT 1::bigint AS "select", now() AS "at"')
    odd = replace(
        SALES,
        columns=(Column("select", Integer()),),
        key=("select",),
        event_time=None,
        cadence=None,
        origin=replace(SALES.origin, table='My; Shop.sales"x'),
    )
    load(odd, work, ["all"])
    assert [row["select"] for row in rows_of(work, odd, ["all"])] == [1]


# Time zones


def local(shop, *times):
    shop.execute(shop.table.replace("at timestamptz", "at timestamp").replace("at text", "at timestamp"))
    insert(shop, *(sold(number, at=time) for number, time in enumerate(times)))


def test_times_without_a_zone_are_in_the_declared_one(shop, work):
    local(shop, f"{DAY} 00:59:59", f"{DAY} 01:00:00", f"{LAST} 01:59:59", f"{LAST} 02:00:00")
    berlin = source(zone="Europe/Berlin")
    load(berlin, work)
    assert [ids(berlin, work, key) for key in KEYS] == [[0], [1, 2], [3]]
    assert [row["at"].hour for row in rows_of(work, berlin, KEYS)] == [23, 0, 23, 0]
    utc = replace(SALES, name="utc")
    load(utc, work)
    assert [ids(utc, work, key) for key in KEYS] == [[], [0, 1], [2, 3]]


def test_a_time_that_clocks_skip_is_kept_aside(shop, work):
    local(shop, f"{DAY} 02:30:00", f"{DAY} 03:00:00")
    berlin = source(zone="Europe/Berlin")
    load(berlin, work, [DAY])
    assert ids(berlin, work, DAY) == [1]
    assert reasons(work) == {0: "at is a time that clocks in Europe/Berlin skip"}


@pytest.mark.parametrize(("ambiguous", "hours"), [("refuse", [0]), ("first", [0, 0]), ("second", [0, 1])])
def test_a_time_that_clocks_show_twice_is_kept_aside_unless_it_is_declared(shop, work, ambiguous, hours):
    local(shop, "2024-10-27 02:00:00", "2024-10-27 02:30:00")
    shop.execute("UPDATE sales SET at = '2024-10-27 01:59:00' WHERE id = 0")
    later = replace(SALES.cadence, last=SALES.cadence.first + timedelta(days=300))
    berlin = replace(source(zone="Europe/Berlin", ambiguous=ambiguous), cadence=later, max_rejected_share=1)
    load(berlin, work, ["2024-10-26", "2024-10-27"])
    found = rows_of(work, berlin, ["2024-10-26", "2024-10-27"])
    assert [row["at"].hour for row in found] == [23, *hours[1:]]
    if ambiguous == "refuse":
        assert list(reasons(work).values()) == ["at is a time that clocks in Europe/Berlin show twice"]
