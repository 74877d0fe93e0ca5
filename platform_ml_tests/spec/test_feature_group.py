from dataclasses import replace
from datetime import date, timedelta

import pytest

from platform_ml.aggregations import Count as Events
from platform_ml.aggregations import Mean as Average
from platform_ml.features import Count, Exists, Field, Mean, Recency, Total, Windowed
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.feature_group import Derived, Lookup
from platform_ml.spec.history import Committed, History, Mutations
from platform_ml.spec.schema import Column, Decimal, Double, Integer, Text, Timestamp
from platform_ml.spec.window import Daily, Weekly
from platform_ml.testing.declarations import customer_profile, customers, order_history, orders
from platform_ml_tests.spec.flown import flights, landed

DAY = timedelta(days=1)
PROFILE = Lookup(source=customers, columns=("country",))
RATIO = Derived(name="ratio", sql="amount / 2", type=Decimal(9, 3))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "order history"}, "Feature group 'order history': a name is .* Try 'order_history'"),
        ({"entity": "customer"}, r"'order_history' has no column 'customer'. Did you mean 'customer_id'\?"),
        ({"features": ()}, "Feature group 'order_history' has no features"),
        ({"features": (Recency(days=7), Recency(days=7))}, "declares column 'days_since_last_7d' 2 times"),
        ({"features": (Exists(called="customer_id"), Count(days=1))}, "declares column 'customer_id' 2 times"),
        ({"features": (Exists(called="event_time"), Count(days=1))}, "declares column 'event_time' 2 times"),
        (
            {"features": (Total(days=7, of="amuont"),)},
            r"'order_history' has no column 'amuont'. Did you mean 'amount'\?",
        ),
        ({"features": (Total(days=7, of="ordered_at"),)}, "Total of 'ordered_at': the column is TIMESTAMPTZ"),
        ({"cadence": None}, "'order_history' has windows but no cadence: say on which days its rows are made"),
        ({"features": (Exists(called="there"),)}, "has a cadence but no feature with a window. Drop the cadence"),
        (
            {"features": (Count(days=7), Field(of="amount"))},
            "'order_history': 'amount' is a column as it is, but an entity has many events. Use a feature with",
        ),
        (
            {"cadence": Daily(first=orders.cadence.first)},
            "its cadence ends on no day, source 'orders' before 2024-07-01. Declare a last partition",
        ),
        (
            {"cadence": Daily(first=orders.cadence.first, last=date(2024, 7, 1))},
            "its cadence ends on 2024-07-02, source 'orders' before 2024-07-01. Declare a last partition",
        ),
        ({"lookups": (PROFILE, PROFILE)}, "'order_history' declares lookup of 'customers' 2 times"),
        ({"derived": (RATIO, RATIO)}, "'order_history' declares column 'ratio' 2 times"),
        ({"derived": (replace(RATIO, name="amount"),)}, "'order_history' declares column 'amount' 2 times"),
        (
            {"derived": (replace(RATIO, type=Double()),), "features": (Mean(days=2, of="ratio"),)},
            "Mean of 'ratio': the column is DOUBLE",
        ),
        (
            {
                "lookups": (
                    replace(
                        PROFILE,
                        source=replace(
                            customers, columns=(replace(customers.columns[0], type=Text()), *customers.columns[1:])
                        ),
                    ),
                )
            },
            "'order_history': 'customer_id' is BIGINT here and VARCHAR in 'customers'. Declare them alike",
        ),
    ],
)
def test_a_wrong_group_cannot_be_made(changes, message):
    with pytest.raises(DeclarationError, match=message):
        replace(order_history, **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cadence": orders.cadence}, "'customer_profile' has a cadence but source 'customers' has no event time"),
        ({"derived": (RATIO,)}, "'customer_profile' has no cadence: lookups and derived columns are for events"),
        (
            {"lookups": (replace(PROFILE, source=replace(customers, name="others"), columns=()),)},
            "lookups and derived .* for events. Drop",
        ),
        ({"features": (Field(of="customer_id"),)}, "'customer_profile' declares column 'customer_id' 2 times"),
    ],
)
def test_a_wrong_reference_cannot_be_made(changes, message):
    with pytest.raises(DeclarationError, match=message):
        replace(customer_profile, **changes)


def test_a_lookup_is_of_a_reference():
    with pytest.raises(DeclarationError, match="Lookup in 'orders': only a source without cadence is a reference"):
        Lookup(source=orders, columns=("amount",))
    with pytest.raises(
        DeclarationError, match=r"Lookup in 'customers' has no column 'contry'. Did you mean 'country'\?"
    ):
        Lookup(source=customers, columns=("contry",))


def test_a_lookup_needs_its_key():
    source = replace(
        customers, columns=(replace(customers.columns[0], name="who"), *customers.columns[1:]), key=("who",)
    )
    with pytest.raises(DeclarationError, match="'order_history' has no column 'who'"):
        replace(order_history, lookups=(Lookup(source=source, columns=("country",)),))


def test_a_derived_column_has_a_name():
    with pytest.raises(DeclarationError, match=r"Derived column 'Ratio': a name is .* Try 'ratio'"):
        replace(RATIO, name="Ratio")


def test_all_features_in_a_role_are_a_selection_too():
    every = [feature.name for feature in order_history.features]
    chosen = order_history.role("friend_", on={"customer_id": "friend_id"}, at="met_at")
    assert chosen == order_history.select(*every).role("friend_", on={"customer_id": "friend_id"}, at="met_at")
    assert list(chosen.columns) == [f"friend_{name}" for name in every]
    assert order_history.role() == order_history.select(*every)


def test_a_derived_column_says_what_it_means_or_how_it_is_made():
    assert RATIO.meaning == f"{RATIO.sql}, of each event."
    assert replace(RATIO, description="A share.").meaning == "A share."


def test_what_features_can_be_made_of():
    group = replace(order_history, lookups=(PROFILE,), derived=(RATIO,))
    assert group.types == orders.types | {"country": Text(), "ratio": Decimal(9, 3)}
    assert group.types["customer_id"] == Integer()


def test_it_looks_back_as_far_as_its_longest_window():
    assert order_history.lookback_days == 28
    assert replace(order_history, features=(Count(days=3), Recency(days=90))).lookback_days == 90
    assert customer_profile.lookback_days == 0


def test_a_row_speaks_until_the_next_one_is_due():
    assert order_history.rules.ttl == timedelta(days=1) - timedelta(microseconds=1)
    weekly = replace(order_history, cadence=Weekly(first=orders.cadence.first, last=orders.cadence.first))
    assert weekly.rules.ttl == timedelta(days=7) - timedelta(microseconds=1)
    assert customer_profile.rules is None


def test_a_selection_takes_some_features():
    chosen = order_history.select("days_since_last_28d")
    assert (chosen.group, chosen.names) == (order_history, ("days_since_last_28d",))
    assert order_history.feature("days_since_last_28d") == Recency(days=28)
    what = r"Feature group 'order_history' has no feature 'days_since_last_82d'. Did you mean 'days_since_last_28d'\?"
    with pytest.raises(DeclarationError, match=what):
        order_history.select("days_since_last_82d")
    with pytest.raises(
        DeclarationError, match="Selection of 'order_history' declares feature 'amount_sum_28d' 2 times"
    ):
        order_history.select("amount_sum_28d", "amount_sum_28d")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cadence": None}, r"'landed': its rows are those of source 'flights', .*Use cadence=flights\.cadence"),
        ({"cadence": Daily(first=date(2024, 1, 2), last=date(2024, 12, 31))}, "so they come as those do"),
        ({"history": History(event_time="arived_at")}, r"has no column 'arived_at'\. Did you mean 'arrived_at'\?"),
        ({"history": History(event_time="miles")}, "'miles' is BIGINT, its history needs a Timestamp"),
        ({"history": History(created="plane")}, "'plane' is BIGINT, its history needs a Timestamp"),
        ({"history": History(valid_to="origin")}, "'origin' is VARCHAR, its history needs a Timestamp"),
        (
            {"history": History(known=Mutations(known_from="booked_at", known_to="miles"))},
            "'miles' is BIGINT, its history needs a Timestamp",
        ),
        ({"history": History(sequence="booked_at")}, "'booked_at' is TIMESTAMPTZ, its history needs a Integer"),
        ({"history": History(tombstone="miles")}, "'miles' is BIGINT, its history needs a Boolean"),
        (
            {"history": History(ttl=timedelta(days=1)), "features": (Windowed(how=Events(), window=None),)},
            r"'landed' has windows only, but ttl is a rule of the newest row: .* Drop it",
        ),
        (
            {"history": History(valid_to="arrived_at"), "features": (Windowed(how=Events(), window=None),)},
            "has windows only, but valid_to is a rule of the newest row",
        ),
        (
            {
                "source": replace(flights, columns=(*flights.columns, Column("event_time", Integer()))),
                "features": (Field(of="event_time", called="x"),),
            },
            "'landed' declares column 'event_time' 2 times",
        ),
        ({"features": (Windowed(how=Average(of="origin"), window=None),)}, "Mean of 'origin': the column is VARCHAR"),
        ({"features": Windowed.over(DAY, DAY, how=Events())}, "declares column 'count_1d' 2 times"),
        ({"features": (Field(of="plane"),)}, "declares column 'plane' 2 times"),
    ],
)
def test_a_wrong_group_of_events_cannot_be_made(changes, message):
    with pytest.raises(DeclarationError, match=message):
        replace(landed, **changes)


def test_events_need_an_event_time():
    with pytest.raises(
        DeclarationError, match="has a history, but neither it nor source 'customers' says the event time"
    ):
        replace(customer_profile, history=History())
    dated = replace(customers, columns=(*customers.columns, Column("since_at", Timestamp())))
    group = replace(customer_profile, source=dated, history=History(event_time="since_at"))
    assert (group.of_events, group.rules) == (True, History(event_time="since_at"))
    with pytest.raises(
        DeclarationError, match="Committed compares days of partitions, but source 'customers' has none"
    ):
        replace(group, history=History(event_time="since_at", known=Committed(since=date(2024, 1, 1))))


@pytest.mark.parametrize(
    ("history", "fine"),
    [
        (History(bound="<", delay=DAY), True),
        (History(known=Committed(since=date(2024, 1, 1))), True),
        (History(event_time="ordered_at"), False),
        (History(ttl=DAY), False),
        (History(sequence="order_id"), False),
        (History(late_days=1), False),
    ],
)
def test_what_the_history_of_snapshots_can_say(history, fine):
    if fine:
        rules = replace(order_history, history=history).rules
        assert rules == replace(history, ttl=DAY - timedelta(microseconds=1))
    else:
        with pytest.raises(
            DeclarationError, match="its rows are snapshots that the platform makes, so its history can"
        ):
            replace(order_history, history=history)


def test_snapshots_hold_no_exact_windows():
    with pytest.raises(DeclarationError, match="'count_1d' is computed from events at the moment of a label row"):
        replace(order_history, features=(Count(days=7), Windowed(how=Events(), window=DAY)))


def test_events_are_no_reference():
    with pytest.raises(
        DeclarationError, match=r"has no time but source 'orders' has: later rows would be seen\. Declare"
    ):
        replace(order_history, cadence=None, features=(Field(of="amount"),))


def test_snapshots_are_about_something():
    with pytest.raises(DeclarationError, match=r"'order_history' has no entity\. Name what its rows are about"):
        replace(order_history, entity=())


def test_a_group_of_events_keeps_what_features_and_rules_read():
    group = replace(
        landed,
        entity=("plane", "origin"),
        features=(Field(of="arr_delay"), Windowed(how=Average(of="miles"), window=DAY)),
        history=History(event_time="arrived_at", created="booked_at", sequence="flight_id"),
    )
    assert group.of_events
    assert group.keys == ("plane", "origin")
    assert group.event_columns == ("arr_delay", "miles", "booked_at", "flight_id")
    assert group.lookback_days == 1
