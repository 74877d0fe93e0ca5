from dataclasses import replace
from datetime import UTC
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest

from platform_ml.engine.delivery import read
from platform_ml.engine.feed import landing_file
from platform_ml.engine.ports import WHOLE
from platform_ml.spec.errors import SourceError
from platform_ml.spec.window import PartitionError
from platform_ml_tests.engine.shop import (
    DAYS,
    ORDER,
    contents,
    invented,
    make,
    naive,
    orders,
    rows_of,
    table,
    write,
)
from platform_ml_tests.engine.things import GOOD, KEY, NOON, THINGS, day_of, delivered, good, things


def test_rows_come_back_as_they_were_delivered(built, bought):
    assert len(rows_of(built, orders)) == len(bought)
    for day in DAYS[::10]:
        expected = [
            {
                "order_id": order.order_id,
                "customer_id": order.customer_id,
                "amount": order.amount,
                "ordered_at": order.ordered_at.replace(tzinfo=UTC),
            }
            for order in sorted(bought, key=lambda order: order.order_id)
            if order.day == day
        ]
        assert rows_of(built, orders, [str(day)]) == expected


def test_the_order_of_rows_in_a_file_does_not_matter(work):
    rows = table([order for order in invented() if str(order.day) == KEY])
    write(work, orders, KEY, rows)
    make(work, orders, [KEY])
    before = contents(work, orders)
    write(work, orders, KEY, rows.take(list(range(rows.num_rows))[::-1]))
    make(work, orders, [KEY], token=2)
    assert contents(work, orders) == before


def test_a_file_that_was_not_delivered(work):
    day_of(work, *good())
    what = r"shop/orders, partition 2024-02-02: \S*/shop/orders/2024-02-02\.parquet was not delivered. Ask the supplier"
    with pytest.raises(SourceError, match=what):
        make(work, orders, [KEY, "2024-02-02"])
    assert work.platform.tables.snapshot("shop/orders") is None


@pytest.mark.parametrize("keep", [0, 1, 4, 11, 12, 100, 0.3, 0.5, 0.9, -1, -4, -8])
def test_a_file_that_was_cut_off(work, keep):
    file = day_of(work, *good())
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * keep) if isinstance(keep, float) else keep])
    with pytest.raises(SourceError, match=r"2024-02-01.*cannot be read: it(s end is missing| has \d+ bytes, too few)"):
        make(work, orders, [KEY])
    file.write_bytes(whole)
    make(work, orders, [KEY])
    assert len(rows_of(work, orders)) == 100


@pytest.mark.parametrize(
    "content",
    [b"order_id,customer_id\n1,2\n", b"PAR1" + b"\0" * 100 + b"PAR1", b"PAR1PAR1PAR1", b"\0" * 1000],
    ids=["csv", "zeros between magics", "only magics", "zeros"],
)
def test_a_file_that_is_no_parquet(work, content):
    landing = landing_file(orders, KEY, work)
    landing.parent.mkdir(parents=True)
    landing.write_bytes(content)
    with pytest.raises(SourceError, match=r"shop/orders, partition 2024-02-01: .*2024-02-01\.parquet cannot be read"):
        make(work, orders, [KEY])


def test_bytes_changed_on_the_way_never_break_the_process(work):
    file = day_of(work, *good())
    whole = file.read_bytes()
    for at in range(4, len(whole) - 4, 41):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            read(orders, KEY, work=work)
        except SourceError as error:
            assert "2024-02-01.parquet" in str(error)  # noqa: PT017 - some bytes change nothing
    file.write_bytes(whole)
    assert read(orders, KEY, work=work).accepted.num_rows == 100


def test_a_folder_where_the_file_should_be(work):
    landing_file(orders, KEY, work).mkdir(parents=True)
    with pytest.raises(SourceError, match="was not delivered"):
        make(work, orders, [KEY])


@pytest.mark.parametrize("key", ["2024-06-01", "2023-12-31", "yesterday", "20240201"])
def test_a_key_that_the_source_does_not_have(work, key):
    with pytest.raises(PartitionError, match=key):
        make(work, orders, [key])


@pytest.mark.parametrize(
    ("column", "kind", "found"),
    [
        ("order_id", pa.string(), "VARCHAR"),
        ("amount", pa.string(), "VARCHAR"),
        ("amount", pa.list_(pa.int64()), r"BIGINT\[\]"),
        ("ordered_at", pa.int64(), "BIGINT"),
        ("ordered_at", pa.string(), "VARCHAR"),
        ("customer_id", pa.bool_(), "BOOLEAN"),
        ("customer_id", pa.binary(), "BLOB"),
        ("customer_id", pa.struct({"a": pa.int64()}), "STRUCT"),
        ("customer_id", pa.uuid(), "UUID"),
        ("ordered_at", pa.list_(pa.timestamp("us")), r"TIMESTAMP\[\]"),
        ("ordered_at", pa.time64("us"), "TIME"),
    ],
)
def test_a_column_of_another_type(work, column, kind, found):
    kinds = {field.name: field.type for field in ORDER} | {column: kind}
    write(work, orders, KEY, pa.table({name: pa.array([], kind) for name, kind in kinds.items()}))
    with pytest.raises(SourceError, match=rf"column '{column}' is {found}.*, declared is .*Nothing was loaded"):
        make(work, orders, [KEY])


@pytest.mark.parametrize("kind", [pa.int8(), pa.uint16(), pa.int32(), pa.uint64(), pa.float64(), pa.decimal128(20, 4)])
def test_numbers_may_come_as_other_numbers(work, kind):
    day_of(work, (1, 2, Decimal(3), NOON), customer_id=kind)
    (row,) = read(orders, KEY, work=work).accepted.to_pylist()
    assert row == {"order_id": 1, "customer_id": 2, "amount": Decimal("3.00"), "ordered_at": NOON.replace(tzinfo=UTC)}


@pytest.mark.parametrize("kind", ["s", "ms", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_times_may_come_in_other_units_and_zones(work, kind, zone):
    at = NOON if zone is None else NOON.replace(tzinfo=UTC)
    day_of(work, (1, 2, Decimal(3), at), ordered_at=pa.timestamp(kind, zone))
    found = read(orders, KEY, work=work).accepted
    assert found.schema.field("ordered_at").type == pa.timestamp("us", "UTC")
    assert found["ordered_at"].to_pylist() == [NOON.replace(tzinfo=UTC)]


def test_a_missing_column_with_its_near_miss(work):
    write(work, orders, KEY, table([]).rename_columns(["order_id", "customer_id", "amuont", "ordered_at"]))
    with pytest.raises(SourceError, match=r"column 'amount' is missing. Did you mean 'amuont'\? Nothing was loaded"):
        make(work, orders, [KEY])


def test_columns_in_another_order_and_more_of_them(work):
    rows = table(invented()[:0]).select(["ordered_at", "amount", "customer_id", "order_id"])
    write(work, orders, KEY, rows.append_column("till", pa.array([], pa.string())))
    make(work, orders, [KEY])
    assert work.read(orders, [KEY]).schema.names[3:] == list(orders.types)


def test_a_day_without_business_is_an_empty_file(work):
    day_of(work)
    (done,) = make(work, orders, [KEY])
    assert not done.stopped
    assert done.snapshot.partitions[KEY].rows == 0
    assert rows_of(work, orders, [KEY]) == []


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"number": None}, "number is null"),
        ({"price": Decimal("-0.01")}, "price is below 0"),
        ({"price": Decimal("1000.01")}, "price is above 1000"),
        ({"weight": -1.6}, "weight is below -1.5"),
        ({"weight": float("inf")}, "weight is not a finite number"),
        ({"weight": float("-inf")}, "weight is not a finite number; weight is below -1.5"),
        ({"weight": float("nan")}, "weight is not a finite number"),
        ({"pieces": 11}, "pieces is above 10"),
        ({"kind": "c"}, "kind is none of it's, b"),
        ({"kind": ""}, "kind is none of it's, b"),
        ({"price": Decimal(-1), "pieces": 12}, "price is below 0; pieces is above 10"),
    ],
    ids=str,
)
def test_a_value_that_is_not_allowed(work, bad, reason):
    accepted, rejected = delivered(work, things({}, bad, {"number": 7, "kind": "it's"}))
    assert rejected == [reason]
    assert [row["number"] for row in accepted] == [0, 7]


def test_nothing_is_known_of_what_may_be_unknown(work):
    blank = dict.fromkeys(GOOD, None) | {"number": 5}
    accepted, rejected = delivered(work, things(blank))
    assert (accepted, rejected) == ([blank], [])


@pytest.mark.parametrize(
    ("column", "kind", "value", "reason"),
    [
        ("price", pa.decimal128(20, 4), Decimal("1.2345"), "price has more than 2 digits after the point"),
        ("price", pa.decimal128(20, 4), Decimal("999.0010"), "price has more than 2 digits after the point"),
        ("price", pa.float64(), 1.005, "price has more than 2 digits after the point"),
        ("price", pa.float64(), 999.991, "price has more than 2 digits after the point"),
        ("price", pa.float32(), 1.234, "price has more than 2 digits after the point"),
        (
            "price",
            pa.float64(),
            float("inf"),
            "price is not a DECIMAL(7,2); price is not a finite number; price is above 1000",
        ),
        ("price", pa.decimal128(20, 2), Decimal("123456.00"), "price is not a DECIMAL(7,2); price is above 1000"),
        ("pieces", pa.float64(), 1.5, "pieces has more than 0 digits after the point"),
        ("pieces", pa.decimal128(9, 2), Decimal("2.50"), "pieces has more than 0 digits after the point"),
        (
            "pieces",
            pa.float64(),
            float("nan"),
            "pieces is not a BIGINT; pieces is not a finite number; pieces is above 10",
        ),
        ("pieces", pa.uint64(), 2**63, "pieces is not a BIGINT; pieces is above 10"),
    ],
    ids=str,
)
def test_a_number_that_does_not_fit(work, column, kind, value, reason):
    accepted, rejected = delivered(work, things({column: value}, **{column: kind}))
    assert (accepted, rejected) == ([], [reason])


@pytest.mark.parametrize(
    ("column", "kind", "value", "expected"),
    [
        ("price", pa.float64(), 0.1 + 0.2, Decimal("0.30")),
        ("price", pa.float64(), 999.99, Decimal("999.99")),
        ("price", pa.float32(), 999.99, Decimal("999.99")),
        ("price", pa.decimal128(20, 4), Decimal("1.2300"), Decimal("1.23")),
        ("price", pa.int16(), 7, Decimal("7.00")),
        ("pieces", pa.float64(), 7.0, 7),
        ("weight", pa.int32(), 3, 3.0),
    ],
    ids=str,
)
def test_a_number_that_fits(work, column, kind, value, expected):
    accepted, rejected = delivered(work, things({column: value}, **{column: kind}))
    assert ([row[column] for row in accepted], rejected) == ([expected], [])


def test_whole_numbers_with_gaps_as_pandas_writes_them(work):
    frame = pd.DataFrame({"pieces": [1.0, None, 3.0]}, index=range(3))
    rows = things({}, {}, {}).set_column(3, "pieces", pa.array(frame["pieces"], from_pandas=True))
    accepted, rejected = delivered(work, rows)
    assert ([row["pieces"] for row in accepted], rejected) == ([1, None, 3], [])


def test_the_first_good_row_of_a_key_is_kept(work):
    rows = things(
        {"number": 1, "kind": "wrong"},
        {"number": 1, "weight": 1.0},
        {"number": 2},
        {"number": 1, "weight": 2.0},
        {"number": 1},
    )
    accepted, rejected = delivered(work, rows)
    assert [(row["number"], row["weight"]) for row in accepted] == [(1, 1.0), (2, 1.0)]
    assert rejected == ["kind is none of it's, b"] + ["repeats the key (number) of an earlier row"] * 2


@pytest.mark.parametrize(
    ("at", "inside"),
    [
        (naive(2024, 2, 1), True),
        (naive(2024, 2, 1, 23, 59, 59, 999_999), True),
        (naive(2024, 2, 2), False),
        (naive(2024, 1, 31, 23, 59, 59, 999_999), False),
        (naive(1969, 7, 20), False),
        (naive(9999, 12, 31), False),
    ],
    ids=str,
)
def test_an_event_of_another_day(work, at, inside):
    day_of(work, (1, 1, Decimal(1), at))
    found = read(orders, KEY, work=work)
    assert found.accepted.num_rows == inside
    reasons = found.rejected["reasons"].to_pylist()
    assert reasons == ([] if inside else ["ordered_at is outside of the partition"])


@pytest.mark.parametrize(
    ("keep", "kept", "why"),
    [
        ({}, [1.0], "of an earlier row"),
        ({"keep": "last"}, [2.0], "of a later row"),
        ({"keep": "greatest", "keep_by": "pieces"}, [2.0], "of a row with the greatest pieces"),
        ({"keep": "least", "keep_by": "pieces"}, [3.0], "of a row with the least pieces"),
    ],
    ids=str,
)
def test_the_declared_row_of_a_key_is_kept(work, keep, kept, why):
    values = [(1.0, None), (2.0, 5), (3.0, 1), (2.0, 5)]
    rows = things(*({"number": 1, "weight": weight, "pieces": pieces} for weight, pieces in values))
    write(work, THINGS, WHOLE, rows)
    found = read(replace(THINGS, **keep), WHOLE, work=work)
    assert found.accepted["weight"].to_pylist() == kept
    assert found.rejected["reasons"].to_pylist() == [f"repeats the key (number) {why}"] * 3
    assert (found.repeated, found.exact) == (3, 1 if kept == [2.0] else 0)
    (finding,) = (f for f in make(work, replace(THINGS, **keep))[0].findings if f.check.name == "rejected")
    assert (finding.numbers["duplicates"], finding.numbers["exact_duplicates"]) == (3, found.exact)
