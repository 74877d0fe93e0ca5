import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from platform_ml.engine.content import file_sha256
from platform_ml.engine.feed import landing_file
from platform_ml.engine.ports import WHOLE
from platform_ml.engine.quarantine import rejected_files, rejected_table
from platform_ml.engine.source import checks
from platform_ml.formats import Parquet
from platform_ml.spec.errors import SourceError
from platform_ml.spec.schema import Column, Integer, Timestamp
from platform_ml.spec.source import Source
from platform_ml.spec.window import Daily
from platform_ml_tests.engine.shop import (
    contents,
    customers,
    deliver_customers,
    make,
    orders,
    rows_of,
    write,
)
from platform_ml_tests.engine.things import (
    KEY,
    NOON,
    day_of,
    good,
    quarantined,
)


def test_few_bad_rows_are_kept_aside_with_their_reasons(work):
    bad = [(1000, 1, Decimal("-2.00"), NOON), (0, 5, Decimal(9), NOON)]
    file = day_of(work, *good(298), *bad)
    (done,) = make(work, orders, [KEY])
    assert not done.stopped
    assert len(rows_of(work, orders)) == 298
    kept = quarantined(work)
    assert [(row["row_number"], row["reasons"], row["file"]) for row in kept] == [
        (298, "amount is below 0", file.name),
        (299, "repeats the key (order_id) of an earlier row", file.name),
    ]
    assert json.loads(kept[0]["record"])["order_id"] == 1000
    assert float(json.loads(kept[0]["record"])["amount"]) == -2.0
    (finding,) = (finding for finding in done.findings if finding.check.name == "rejected")
    assert finding.reason.startswith("2 of 300 rows rejected (0.67%, allowed 1.00%): ")
    assert finding.numbers["rejected"] == 2
    assert json.loads(finding.numbers["reasons"]) == {
        "amount is below 0": 1,
        "repeats the key (order_id) of an earlier row": 1,
    }


def test_many_bad_rows_keep_the_whole_delivery_out(work):
    day_of(work, *good())
    make(work, orders, [KEY])
    before, rows = contents(work, orders), rows_of(work, orders)
    bad = [(1000 + n, 1, Decimal("-2.00"), NOON) for n in range(2)]
    file = day_of(work, *good(90), *bad)
    (done,) = make(work, orders, [KEY], token=2)
    assert done.snapshot is None
    (finding,) = done.stopped
    assert (finding.check.name, finding.partition) == ("rejected", KEY)
    expected = "2 of 92 rows rejected (2.17%, allowed 1.00%): amount is below 0 (2x). Nothing was loaded: have "
    assert finding.reason == f"{expected}{file} mended and materialize the partition again."
    assert (contents(work, orders), rows_of(work, orders)) == (before, rows)
    assert [row["reasons"] for row in quarantined(work)] == ["amount is below 0"] * 2


def test_one_bad_delivery_keeps_out_those_that_come_with_it(work):
    day_of(work, *good())
    day_of(work, (1, None, Decimal(1), NOON + timedelta(days=1)), key="2024-02-02")
    (done,) = make(work, orders, [KEY, "2024-02-02"])
    assert [finding.partition for finding in done.stopped] == ["2024-02-02"]
    assert work.platform.tables.snapshot("shop/orders") is None


def test_a_corrected_delivery_replaces_rows_and_rejects(work):
    day_of(work, *good(299), (1000, 1, Decimal("-2.00"), NOON))
    make(work, orders, [KEY])
    assert len(quarantined(work)) == 1
    day_of(work, *good(150))
    make(work, orders, [KEY], token=2)
    assert len(rows_of(work, orders)) == 150
    assert quarantined(work) == []
    assert work.read(orders, [KEY]).partitions[KEY].inputs == file_sha256(landing_file(orders, KEY, work))


def test_a_clean_source_has_no_quarantine(built):
    assert built.platform.tables.snapshot(rejected_table(orders, built)) is None


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_the_share_itself_is_still_allowed(work, value):
    source = replace(orders, max_rejected_share=value)
    bad = [(1000, 1, Decimal("-2.00"), NOON)] if value else []
    day_of(work, *([] if value else good()), *bad)
    (done,) = make(work, source, [KEY])
    assert not done.stopped


def test_keys_in_any_order_keep_their_own_rows(work):
    days = ["2024-02-03", "2024-02-01", "2024-02-02"]
    for number, key in enumerate(days):
        at = datetime.combine(date.fromisoformat(key), datetime.min.time())
        day_of(work, (number, 7, Decimal(1), at), key=key)
    make(work, orders, days)
    for number, key in enumerate(days):
        assert [row["order_id"] for row in rows_of(work, orders, [key])] == [number]


def test_usual_numbers_of_rows(work):
    source = replace(orders, expected_rows=(50, 99))
    day_of(work, *good())
    (done,) = make(work, source, [KEY])
    (finding,) = (finding for finding in done.findings if not finding.passed)
    assert (finding.check.name, finding.stops) == ("volume", False)
    assert finding.reason == "100 rows; between 50 and 99 are declared as usual."


def test_a_source_without_cadence_is_one_file(work):
    deliver_customers(work)
    assert landing_file(customers, WHOLE, work).name == "customers.parquet"
    (done,) = make(work, customers)
    assert list(done.snapshot.partitions) == [WHOLE]
    assert [row["customer_id"] for row in rows_of(work, customers)] == [n for n in range(30) if n % 3]
    assert [check.name for check in checks(customers)] == ["schema", "not_null", "unique_key", "volume", "rejected"]
    assert "fresh" in [check.name for check in checks(orders)]


def test_columns_may_be_called_like_what_the_query_computes(work):
    named = (
        "raw",
        "wrong",
        "nth",
        "reasons",
        "record",
        "row_number",
        "rows",
        "n",
        "first",
        "last",
        "nulls",
        "delivered",
    )
    source = Source(
        name="awkward",
        description="Awkward.",
        format=Parquet(),
        columns=(Column("at", Timestamp()), *(Column(name, Integer()) for name in named)),
        key=("at", *named),
        event_time="at",
        cadence=Daily(first=date(2024, 2, 1)),
        max_rejected_share=0.5,
    )
    columns = {name: [n, n, -n] for n, name in enumerate(named, start=1)}
    write(work, source, KEY, pa.table({"at": pa.array([NOON] * 3, pa.timestamp("us")), **columns}))
    (done,) = make(work, source, [KEY])
    assert [finding.reason for finding in done.findings if not finding.passed] == []
    assert [[row[name] for name in named] for row in rows_of(work, source)] == [
        [-n for n in range(1, 13)],
        list(range(1, 13)),
    ]
    (kept,) = quarantined(work, source=source)
    assert (kept["row_number"], kept["reasons"].split(" of ")[1]) == (1, "an earlier row")


def test_of_several_files_that_cannot_be_read_the_first_is_named_and_all_are_kept(work):
    days = ["2024-02-01", "2024-02-02", "2024-02-03"]
    day_of(work, *good())
    for day in days[1:]:
        landing_file(orders, day, work).write_bytes(b"no Parquet at all")
    with pytest.raises(SourceError, match=r"2024-02-02.* cannot be read: .* The file is kept in "):
        make(work, orders, days[::-1])
    assert {one.partition for one in rejected_files(orders, work=work)} == set(days[1:])
    assert work.platform.tables.snapshot("shop/orders") is None
