from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from platform_ml.engine.feature_view import group_keys, not_point_in_time
from platform_ml.features import Count, Total
from platform_ml.outcomes import NoEvent
from platform_ml.spec.errors import MissingInputError
from platform_ml.spec.window import Daily
from platform_ml_tests.engine.shop import (
    DAYS,
    FIRST,
    Order,
    contents,
    customer_profile,
    customers,
    deliver,
    invented,
    lapse_view,
    lapsed,
    make,
    make_all,
    naive,
    order_history,
    order_weeks,
    orders,
    rows_of,
    view_rows,
    work_in,
)

KEYS = lapsed.cadence.keys()
KNOWN_BEFORE = ("amount_sum_28d", "days_since_last_28d", "bought_lately", "count_7d", "country", "student", "surveyed")


def known_before(rows):
    return [{name: row[name] for name in ("customer_id", "event_time", *KNOWN_BEFORE)} for row in rows]


@pytest.fixture(scope="module")
def profiles(built):
    return {row["customer_id"]: row for row in rows_of(built, customers)}


@pytest.mark.parametrize("key", KEYS)
def test_a_row_per_label_row_with_what_was_known_then(built, bought, profiles, key):
    rows = rows_of(built, lapse_view, [key])
    assert rows == view_rows(bought, date.fromisoformat(key), profiles)
    assert [row["customer_id"] for row in rows] == [row["customer_id"] for row in rows_of(built, lapsed, [key])]


@pytest.mark.parametrize("seed", [2, 3, 4])
@pytest.mark.parametrize("key", [KEYS[0], KEYS[6]])
def test_what_happens_from_the_moment_on_never_changes_what_was_known(shop, bought, seed, key):
    at = date.fromisoformat(key)
    before = rows_of(shop, lapse_view, [key])
    past = [order for order in bought if order.day < at]
    future = [order for order in invented(seed) if order.day >= at]
    days = [day for day in DAYS if 0 <= (day - at).days < 14]
    deliver(shop, [*past, *future], days)
    make(shop, orders, [str(day) for day in days], token=2)
    make(shop, order_history, [str(day - timedelta(days=1)) for day in days], token=2)
    make(shop, order_weeks, group_keys(order_weeks, lapse_view, key), token=2)
    make(shop, lapsed, [key], token=2)
    make(shop, lapse_view, [key], token=2)
    after = rows_of(shop, lapse_view, [key])
    assert known_before(after) == known_before(before)
    assert [row["lapsed"] for row in after] != [row["lapsed"] for row in before]


MOMENT = naive(2024, 1, 31)


@pytest.fixture(scope="module")
def edges(tmp_path_factory):
    """Customers 0 to 2 buy just before, at and just after the moment; customer 9 bought once, on the 25th."""
    work = work_in(tmp_path_factory.mktemp("edges"))
    before = [Order(n, n, Decimal(1), MOMENT - timedelta(days=20)) for n in range(3)]
    around = [Order(10 + n, n, Decimal(10), MOMENT + timedelta(microseconds=n - 1)) for n in range(3)]
    make_all(work, [*before, *around, Order(99, 9, Decimal(5), MOMENT - timedelta(days=6, hours=1))])
    return work


@pytest.mark.parametrize(("who", "known"), [(0, True), (1, False), (2, False)], ids=["just before", "at", "just after"])
def test_the_moment_divides_features_from_outcomes(edges, who, known):
    row = rows_of(edges, lapse_view, ["2024-01-31"])[who]
    assert row["customer_id"] == who
    assert row["amount_sum_28d"] == (11.0 if known else 1.0)
    assert row["days_since_last_28d"] == (0 if known else 19)
    assert row["lapsed"] is known


def test_a_stale_row_never_speaks(edges):
    found = {str(row["event_time"].date()): row for row in rows_of(edges, lapse_view) if row["customer_id"] == 9}
    assert list(found) == KEYS
    # Known from the 26th of January, and for the 28 days that the window reaches back.
    known = ["2024-01-31", "2024-02-07", "2024-02-14", "2024-02-21"]
    assert [key for key, row in found.items() if row["amount_sum_28d"] == 5.0] == known
    assert {row["amount_sum_28d"] for key, row in found.items() if key not in known} == {None}
    assert [key for key, row in found.items() if row["bought_lately"]] == known
    assert {row["bought_lately"] for row in found.values()} == {True, False}
    # The week of the 25th is over on Monday 29th and speaks for a week.
    assert [key for key, row in found.items() if row["count_7d"]] == known[:1]


def test_moments_are_the_same_alone_and_together(shop, built):
    together = contents(built, lapse_view)
    fresh = replace(lapse_view, name="lapse_alone")
    for key in KEYS:
        make(shop, fresh, [key])
    assert contents(shop, fresh) == together


def test_the_order_of_keys_does_not_matter(shop, built):
    fresh = replace(lapse_view, name="lapse_backwards")
    make(shop, fresh, KEYS[::-1])
    assert contents(shop, fresh) == contents(built, lapse_view)


def test_a_group_can_be_joined_twice(shop, built):
    halves = (order_history.select("amount_sum_28d"), order_history.select("days_since_last_28d", "bought_lately"))
    fresh = replace(lapse_view, name="lapse_halves", features=(*halves, order_weeks))
    make(shop, fresh)
    assert contents(shop, fresh) == contents(built, lapse_view)


@pytest.mark.parametrize("size", [1, 64, 65, 400])
@pytest.mark.parametrize("threads", [1, 2, 4])
def test_any_number_of_rows_and_threads(tmp_path, size, threads):
    """DuckDB joins fewer rows than 65 in another way."""
    work = work_in(tmp_path, threads=threads)
    few = [FIRST + timedelta(days=n) for n in range(6)]
    source = replace(orders, cadence=Daily(first=FIRST, last=few[-1]))
    at = few[4]
    bought = [
        Order(100 * who + n, who, Decimal(who + n), naive(day.year, day.month, day.day, 9))
        for who in range(size)
        for n, day in enumerate(few)
        if (who + n) % 3 == 0
    ]
    group = replace(
        order_history, source=source, cadence=source.cadence, features=(Total(days=2, of="amount"), Count(days=2))
    )
    label = replace(lapsed, source=source, outcome=NoEvent(days=1), cadence=Daily(first=few[3], last=at))
    view = replace(lapse_view, label=label, features=(group,), helpers=())
    deliver(work, bought, few, source)
    for noun in (source, group, label, view):
        make(work, noun)
    rows = {row["customer_id"]: row for row in rows_of(work, view, [str(at)])}
    assert list(rows) == list(range(size))
    for who, row in rows.items():
        seen = [order.amount for order in bought if order.customer_id == who and order.day in few[2:4]]
        assert row["amount_sum_2d"] == (float(sum(seen)) if seen else None)
        assert row["count_2d"] == (len(seen) or None)
        assert row["lapsed"] is not any(order.day == at and order.customer_id == who for order in bought)


def test_only_what_is_over_at_the_moment_is_asked_for():
    key = "2024-01-31"
    assert group_keys(order_history, lapse_view, key) == ["2024-01-30"]
    assert group_keys(order_weeks, lapse_view, key) == ["2024-01-22"]
    assert group_keys(customer_profile, lapse_view, key) == ["all"]


def test_a_week_that_ends_at_the_moment_is_over():
    monday = replace(lapse_view, label=replace(lapsed, cadence=Daily(first=date(2024, 1, 29))))
    assert group_keys(order_weeks, monday, "2024-01-29") == ["2024-01-22"]
    assert group_keys(order_weeks, monday, "2024-02-04") == ["2024-01-22"]
    assert group_keys(order_weeks, monday, "2024-02-05") == ["2024-01-29"]


def test_before_a_group_begins_nothing_is_known(shop):
    late = replace(order_weeks, name="late_weeks", cadence=replace(order_weeks.cadence, first=date(2024, 3, 4)))
    make(shop, late)
    view = replace(lapse_view, name="lapse_late", features=(order_history, late))
    make(shop, view, [KEYS[0]])
    make(shop, view, [KEYS[-1]])
    assert {row["count_7d"] for row in rows_of(shop, view, [KEYS[0]])} == {None}
    assert {row["count_7d"] for row in rows_of(shop, view, [KEYS[-1]])} > {None}


def test_what_is_missing_is_named_with_the_command_that_makes_it(shop):
    again = replace(order_history, name="history_again")
    view = replace(lapse_view, name="lapse_again", features=(again,))
    with pytest.raises(
        MissingInputError,
        match=r"history_again has no part.*: dagster asset .*--partition-range 2024-01-30\.\.\.2024-04-09",
    ):
        make(shop, view)
    make(shop, again, ["2024-01-30"])
    make(shop, view, ["2024-01-31"])
    with pytest.raises(MissingInputError, match=r"history_again has no partition.*2024-02-06.*--partition 2024-02-06"):
        make(shop, view, ["2024-01-31", "2024-02-07"])


def test_it_says_which_groups_know_no_time():
    assert not_point_in_time(lapse_view) == ["customer_profile"]


def test_all_checks_pass(shop):
    for done in make(shop, replace(lapse_view, name="lapse_again")):
        assert {finding.check.name for finding in done.findings} == {
            "schema",
            "not_null",
            "unique_key",
            "one_row_each",
            "fresh",
        }
        assert [finding for finding in done.findings if not finding.passed] == []
