from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from platform_ml.engine.label import source_keys
from platform_ml.outcomes import NoEvent
from platform_ml.spec.errors import MissingInputError
from platform_ml.spec.schema import Column, Integer
from platform_ml.spec.window import Daily, PartitionError
from platform_ml_tests.engine.shop import (
    DAYS,
    ORDER,
    Order,
    contents,
    deliver,
    keys_of,
    lapsed,
    make,
    naive,
    orders,
    rows_of,
    table,
    utc,
    write,
)

KEYS = lapsed.cadence.keys()


def expected(bought, at, *, days=14, seen_within=10_000):
    seen = sorted({order.customer_id for order in bought if 0 < (at - order.day).days <= seen_within})
    later = {order.customer_id for order in bought if 0 <= (order.day - at).days < days}
    known = utc(at + timedelta(days=days))
    return [
        {"customer_id": who, "event_time": utc(at), "lapsed": who not in later, "known_time": known} for who in seen
    ]


@pytest.mark.parametrize("key", KEYS)
def test_true_exactly_when_nothing_happens_in_the_horizon(built, bought, key):
    assert rows_of(built, lapsed, [key]) == expected(bought, date.fromisoformat(key))


def test_both_outcomes_occur(built):
    assert {row["lapsed"] for row in rows_of(built, lapsed)} == {True, False}


def test_only_who_was_seen_lately(shop, bought):
    lately = replace(lapsed, name="lapsed_lately", seen_within_days=10)
    make(shop, lately)
    for key in KEYS:
        rows = expected(bought, date.fromisoformat(key), seen_within=10)
        assert [row["customer_id"] for row in rows_of(shop, lately, [key])] == [row["customer_id"] for row in rows]
    assert source_keys(lately, KEYS[3])[0] == str(date.fromisoformat(KEYS[3]) - timedelta(days=10))


@pytest.mark.parametrize(
    ("day", "microseconds", "lapses"),
    [(0, 0, False), (0, -1, True), (14, -1, False), (14, 0, True)],
    ids=["first moment", "just before", "last moment", "just after"],
)
def test_the_horizon_begins_with_the_moment_and_ends_before_its_end(work, day, microseconds, lapses):
    moment = naive(2024, 1, 31)
    at = moment + timedelta(days=day, microseconds=microseconds)
    deliver(work, [Order(1, 7, Decimal(1), moment - timedelta(days=3)), Order(2, 7, Decimal(1), at)])
    make(work, orders)
    make(work, lapsed, ["2024-01-31", "2024-02-07"])  # the later one has later days read
    assert [row["lapsed"] for row in rows_of(work, lapsed, ["2024-01-31"])] == [lapses]


def test_who_was_never_seen_has_no_row(work):
    deliver(work, [Order(1, 7, Decimal(1), naive(2024, 2, 1, 8))])
    make(work, orders)
    (done,) = make(work, lapsed, ["2024-01-31", "2024-02-07"])
    assert rows_of(work, lapsed, ["2024-01-31"]) == []
    assert [row["customer_id"] for row in rows_of(work, lapsed, ["2024-02-07"])] == [7]
    assert [(f.check.name, f.partition) for f in done.findings if not f.passed] == [("volume", "2024-01-31")]
    assert not done.stopped


def test_events_of_nobody_do_not_count(work):
    columns = tuple(
        c if c.name != "customer_id" else Column("customer_id", Integer(), nullable=True) for c in orders.columns
    )
    source = replace(orders, columns=columns)
    label = replace(lapsed, source=source)
    deliver(work, [], source=source)
    for day, number in ((date(2024, 1, 20), 1), (date(2024, 2, 1), 2)):
        bought = table([Order(10 * number + n, 7, Decimal(1), naive(day.year, day.month, day.day)) for n in (0, 1)])
        who = pa.array([7, None] if number == 1 else [None, None], pa.int64())
        write(work, source, str(day), bought.set_column(1, ORDER.field("customer_id"), who))
    make(work, source)
    make(work, label, ["2024-01-31"])
    assert [(row["customer_id"], row["lapsed"]) for row in rows_of(work, label)] == [(7, True)]


def test_it_waits_until_the_horizon_is_over(shop):
    label = replace(lapsed, name="lapsed_later", cadence=Daily(first=date(2024, 4, 1)))
    make(shop, label, ["2024-04-16"])
    with pytest.raises(
        MissingInputError,
        match=r"'lapsed_later', partition 2024-04-17: the outcome is known on 2024-05-01, .*"
        r"14 days are over; source 'orders' has only the days before 2024-04-30. Materialize it when",
    ):
        make(shop, label, ["2024-04-17"])


def test_a_source_that_goes_on_has_no_days_that_are_not_over():
    today = datetime.now(UTC).date()
    source = replace(orders, cadence=Daily(first=date(2024, 1, 1)))
    label = replace(lapsed, source=source, cadence=Daily(first=date(2024, 2, 1)))
    assert (
        len(source_keys(label, str(today - timedelta(days=15)))) == (today - timedelta(days=1) - date(2024, 1, 1)).days
    )
    known = today + timedelta(days=4)
    with pytest.raises(MissingInputError, match=f"known on {known}, .* has only the days before {today}"):
        source_keys(label, str(today - timedelta(days=10)))


def test_a_moment_outside_of_the_cadence_is_refused(shop):
    with pytest.raises(
        PartitionError, match=r"'2024-02-01' is not the first day of a partition. Did you mean '2024-01-31'"
    ):
        make(shop, lapsed, ["2024-02-01"])


def test_missing_days_are_named(work, bought):
    deliver(work, bought)
    make(work, orders, [str(day) for day in DAYS if day != date(2024, 2, 3)])
    with pytest.raises(
        MissingInputError, match=r"orders has no partition for 1 of .*2024-02-03.*--partition 2024-02-03"
    ):
        make(work, lapsed, ["2024-01-31"])


def test_moments_are_the_same_alone_together_and_backwards(shop, built):
    alone, backwards = replace(lapsed, name="lapsed"), KEYS[::-1]
    for token, batches in ((2, [[key] for key in KEYS]), (3, [backwards])):
        for keys in batches:
            make(shop, alone, keys, token=token)
        assert contents(shop, alone) == contents(built, lapsed)


def test_a_corrected_day_changes_the_outcomes_that_it_belongs_to(shop, bought):
    day = date(2024, 2, 20)
    gone = [order for order in bought if order.day != day]
    before = contents(shop, lapsed)
    deliver(shop, gone, [day])
    make(shop, orders, [str(day)], token=2)
    make(shop, lapsed, token=2)
    for key in KEYS:
        assert rows_of(shop, lapsed, [key]) == expected(gone, date.fromisoformat(key))
    changed = {key for key, content in contents(shop, lapsed).items() if content != before[key]}
    assert changed
    assert min(changed) > str(day - timedelta(days=14))


def test_horizons_of_another_length(shop, bought):
    month = replace(
        lapsed, name="lapsed_month", outcome=NoEvent(days=30), cadence=replace(lapsed.cadence, last=date(2024, 3, 27))
    )
    make(shop, month)
    for key in keys_of(month):
        rows = [row | {"lapsed": row["lapsed_month"]} for row in rows_of(shop, month, [key])]
        assert [row["lapsed"] for row in rows] == [
            row["lapsed"] for row in expected(bought, date.fromisoformat(key), days=30)
        ]
