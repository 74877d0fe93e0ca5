from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from platform_ml.engine.feature_group import checks, source_keys, types
from platform_ml.engine.ports import WHOLE
from platform_ml.features import Count, Distinct, Exists, Field, Mean, Total
from platform_ml.formats import Parquet
from platform_ml.spec.errors import MissingInputError
from platform_ml.spec.feature_group import Derived, FeatureGroup, Lookup
from platform_ml.spec.schema import Boolean, Column, Double, Integer, Text, Timestamp
from platform_ml.spec.schema import Decimal as Exact
from platform_ml.spec.source import Source
from platform_ml.spec.window import Daily, PartitionError, Weekly
from platform_ml_tests.engine.shop import (
    DAYS,
    FIRST,
    Order,
    contents,
    customer_profile,
    customers,
    deliver,
    deliver_customers,
    history,
    keys_of,
    make,
    naive,
    order_history,
    order_weeks,
    orders,
    rows_of,
    table,
    utc,
    write,
)

KEYS = order_history.cadence.keys()


def test_every_day_says_what_the_window_holds(built, bought):
    for key in KEYS:
        over = date.fromisoformat(key) + timedelta(days=1)
        expected = [
            {
                "customer_id": who,
                "event_time": utc(over),
                "amount_sum_28d": float(total),
                "days_since_last_28d": recency,
                "bought_lately": True,
            }
            for who, (total, recency) in sorted(history(bought, over).items())
        ]
        assert rows_of(built, order_history, [key]) == expected


def test_a_week_is_the_last_of_its_days(shop):
    weekly = replace(order_history, name="history_by_week", cadence=order_weeks.cadence)
    make(shop, weekly)
    for key in keys_of(weekly):
        sunday = date.fromisoformat(key) + timedelta(days=6)
        assert rows_of(shop, weekly, [key]) == rows_of(shop, order_history, [str(sunday)])


def test_partitions_are_the_same_alone_in_pieces_and_backwards(shop, built):
    expected = contents(built, order_history)
    fresh = replace(order_history, name="history_again")
    for keys in ([KEYS[0]], [KEYS[60]], KEYS[61:75], KEYS[80:60:-1], [KEYS[5], KEYS[100]], KEYS[-1:]):
        make(shop, fresh, keys)
        assert contents(shop, fresh).items() <= expected.items()
    make(shop, fresh)
    assert contents(shop, fresh) == expected


def test_a_corrected_day_changes_the_rows_that_look_back_on_it_and_no_others(shop, bought):
    day = date(2024, 2, 10)
    before = contents(shop, order_history)
    deliver(shop, [*bought, *(Order(n, n, Decimal("0.01"), naive(2024, 2, 10, 23, 59)) for n in range(30))], [day])
    make(shop, orders, [str(day)], token=2)
    make(shop, order_history, token=2)
    changed = {key for key, content in contents(shop, order_history).items() if content != before[key]}
    assert changed == {str(day + timedelta(days=n)) for n in range(28)}


def test_windows_begin_before_the_first_partition(shop):
    late = replace(order_history, name="late_history", cadence=Daily(first=date(2024, 3, 1), last=date(2024, 3, 3)))
    make(shop, late)
    for key in keys_of(late):
        assert rows_of(shop, late, [key]) == rows_of(shop, order_history, [key])


def test_missing_days_of_the_source_are_named(work, bought):
    deliver(work, bought)
    make(work, orders, [str(day) for day in DAYS[:40] if day not in (date(2024, 1, 20), date(2024, 1, 21))])
    make(work, order_history, ["2024-01-19"])
    with pytest.raises(
        MissingInputError, match=r"shop/orders has no partition for 2 .*2024-01-20 to 2024-01-21.*Run: dagster"
    ):
        make(work, order_history, ["2024-02-01"])
    with pytest.raises(PartitionError, match="outside of the declared range 2024-01-01 to 2024-04-29"):
        make(work, order_history, ["2024-05-01"])


def test_a_source_by_week_is_read_from_the_week_that_the_window_begins_in():
    weekly = replace(orders, cadence=Weekly(first=FIRST, last=date(2024, 4, 22)))
    group = replace(
        order_history, source=weekly, cadence=Daily(first=FIRST, last=date(2024, 4, 28)), features=(Count(days=3),)
    )
    assert source_keys(group, "2024-01-10") == ["2024-01-08"]
    assert source_keys(group, "2024-01-09") == ["2024-01-01", "2024-01-08"]
    assert source_keys(group, "2024-01-02") == ["2024-01-01"]


def test_windows_over_a_source_by_week(work, bought):
    weekly = replace(orders, cadence=Weekly(first=FIRST, last=FIRST + timedelta(days=21)))
    for key in keys_of(weekly):
        days = [date.fromisoformat(key) + timedelta(days=n) for n in range(7)]
        write(work, weekly, key, table([order for order in bought if order.day in days]))
    group = replace(order_history, source=weekly, cadence=Daily(first=date(2024, 1, 9), last=date(2024, 1, 28)))
    make(work, weekly)
    make(work, group)
    for key in keys_of(group):
        found = {row["customer_id"]: row["amount_sum_28d"] for row in rows_of(work, group, [key])}
        expected = history(bought, date.fromisoformat(key) + timedelta(days=1))
        assert found == {who: float(total) for who, (total, _) in expected.items()}


@pytest.fixture(params=["days", "raw", "events", "states", "lookup_days"])
def regions(request):
    """A reference table whose name is also one that queries use inside."""
    return Source(
        name=request.param,
        description="Where customers live.",
        format=Parquet(),
        columns=(
            Column("customer_id", Integer()),
            Column("region", Text(), nullable=True),
            Column("factor", Exact(5, 2), nullable=True),
        ),
        key=("customer_id",),
    )


def test_looked_up_and_derived_columns(work, bought, regions):
    few = DAYS[:5]
    source = replace(orders, cadence=Daily(first=FIRST, last=few[-1]))
    group = FeatureGroup(
        name="regional",
        description="By region.",
        source=source,
        lookups=(Lookup(source=regions, columns=("region", "factor")),),
        derived=(Derived(name="weighted", sql="amount * factor", type=Exact(12, 4)),),
        entity="customer_id",
        cadence=source.cadence,
        features=(Total(days=2, of="weighted"), Mean(days=2, of="factor"), Distinct(days=2, of="region")),
    )
    deliver(work, bought, few, source)
    known = {n: {"region": "nw"[n % 2], "factor": Decimal(n) / 4} for n in range(0, 30, 3)} | {
        3: {"region": None, "factor": None}
    }
    schema = pa.schema({"customer_id": pa.int64(), "region": pa.string(), "factor": pa.decimal128(5, 2)})
    write(work, regions, WHOLE, pa.Table.from_pylist([{"customer_id": n, **row} for n, row in known.items()], schema))
    for noun in (source, regions, group):
        make(work, noun)
    for day in few:
        expected = {}
        for order in bought:
            if 0 <= (day - order.day).days < 2:
                expected.setdefault(order.customer_id, []).append((order.amount, known.get(order.customer_id, {})))
        rows = {row["customer_id"]: row for row in rows_of(work, group, [str(day)])}
        assert rows.keys() == expected.keys()
        for who, events in expected.items():
            factors = [row["factor"] for _, row in events if row.get("factor") is not None]
            assert rows[who]["weighted_sum_2d"] == float(
                sum(a * row["factor"] for a, row in events if row.get("factor") is not None)
            )
            assert rows[who]["factor_mean_2d"] == (float(sum(factors) / len(factors)) if factors else None)
            assert rows[who]["region_distinct_2d"] == len({row.get("region") for _, row in events} - {None})


def test_columns_may_be_called_like_what_the_query_computes(work):
    """Neither of these may be taken for a day, an entity or a table of the query."""
    named = ("day", "entity", "events", "states", "changes", "raw")
    source = Source(
        name="events",
        description="Awkward.",
        format=Parquet(),
        columns=(
            Column("who", Integer()),
            Column("at", Timestamp()),
            *(Column(name, Text(), nullable=True) for name in named),
        ),
        key=("who", "at"),
        event_time="at",
        cadence=Daily(first=FIRST, last=FIRST),
    )
    group = FeatureGroup(
        name="awkward",
        description="Awkward.",
        source=source,
        entity="who",
        cadence=source.cadence,
        features=(*(Distinct(days=3, of=name) for name in named), Distinct(days=3, of="who"), Count(days=3)),
    )
    columns = {name: [f"{name}{n % (i + 1)}" for n in range(6)] for i, name in enumerate(named)}
    at = pa.array([naive(2024, 1, 1, n) for n in range(6)], pa.timestamp("us"))
    write(work, source, str(FIRST), pa.table({"who": [1] * 6, "at": at, **columns}))
    make(work, source)
    make(work, group)
    (row,) = rows_of(work, group)
    assert [row[f"{name}_distinct_3d"] for name in named] == [1, 2, 3, 4, 5, 6]
    assert (row["who_distinct_3d"], row["count_3d"]) == (1, 6)


def test_a_group_without_cadence_is_the_reference_as_it_is(built):
    rows = rows_of(built, customer_profile)
    names = ("customer_id", "country", "student")
    assert [{name: row[name] for name in names} for row in rows] == rows_of(built, customers)
    assert {row["surveyed"] for row in rows} == {True}


def test_an_entity_that_a_reference_has_twice_is_kept_out(work):
    source = replace(
        customers,
        key=("customer_id", "country"),
        columns=(*customers.columns[:1], Column("country", Text()), *customers.columns[2:]),
    )
    group = replace(customer_profile, source=source)
    rows = [{"customer_id": 1, "country": country, "student": True} for country in ("AT", "CH")]
    deliver_customers(work, rows)
    make(work, source)
    (done,) = make(work, group)
    (finding,) = done.stopped
    assert (finding.check.name, finding.reason) == ("unique_key", "1 rows repeat a key of (customer_id).")
    assert work.platform.tables.snapshot(work.table(group)) is None


def test_types_are_those_of_the_features():
    assert list(types(order_history)) == [
        "customer_id",
        "event_time",
        "amount_sum_28d",
        "days_since_last_28d",
        "bought_lately",
    ]
    assert list(types(order_history).values()) == [Integer(), Timestamp(), Double(), Integer(), Boolean()]
    assert types(customer_profile) == {
        "customer_id": Integer(),
        "country": Text(),
        "student": Boolean(),
        "surveyed": Boolean(),
    }


def test_a_group_without_time_is_not_held_against_one():
    assert [check.name for check in checks(order_history)] == ["schema", "not_null", "unique_key", "volume", "fresh"]
    assert [check.name for check in checks(customer_profile)] == ["schema", "not_null", "unique_key", "volume"]


def test_fields_and_existence(work):
    deliver_customers(
        work,
        [{"customer_id": 2, "country": None, "student": True}, {"customer_id": 1, "country": "AT", "student": None}],
    )
    group = replace(customer_profile, features=(Exists(called="there"), Field(of="country")))
    make(work, customers)
    make(work, group)
    assert rows_of(work, group) == [
        {"customer_id": 1, "there": True, "country": "AT"},
        {"customer_id": 2, "there": True, "country": None},
    ]
