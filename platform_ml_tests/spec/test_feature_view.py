from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from platform_ml.aggregations import Count, Last, Mean
from platform_ml.features import Exists, Field, Recency, Total, Windowed
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.feature_group import Derived, FeatureGroup
from platform_ml.spec.history import AsOf, Committed, History, Mutations, ValidTime
from platform_ml.spec.schema import Boolean, Column, Integer, Text, Timestamp
from platform_ml.testing.declarations import customer_profile, customers, lapse_view, lapsed, order_history, orders
from platform_ml_tests.spec.flown import delay_view, delayed, flights, landed

SPENT = order_history.select("amount_sum_28d")
TEXTUAL = replace(customers, columns=(replace(customers.columns[0], type=Text()), *customers.columns[1:]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Lapse"}, "Feature view 'Lapse': a name is .* Try 'lapse'"),
        ({"features": ()}, "Feature view 'lapse_view' has no features"),
        (
            {"features": (order_history, SPENT)},
            "'lapse_view' has 'amount_sum_28d' from two places. Give one of them a prefix",
        ),
        ({"helpers": (SPENT,)}, "'lapse_view' has 'amount_sum_28d' from two places. Give one of them a prefix"),
        (
            {"label": replace(lapsed, name="amount_sum_28d")},
            "'lapse_view' has 'amount_sum_28d' from two places. Give one of them a prefix",
        ),
        (
            {"features": (replace(order_history, name="by_order", entity="order_id"),)},
            "'lapse_view', group 'by_order' describes 'order_id', but label 'lapsed' has no column 'order_id'",
        ),
        (
            {"helpers": (replace(customer_profile, source=TEXTUAL),)},
            "'lapse_view', group 'customer_profile': 'customer_id' is BIGINT here and VARCHAR in 'customer_profile'",
        ),
    ],
)
def test_a_wrong_view_cannot_be_made(changes, message):
    with pytest.raises(DeclarationError, match=message):
        replace(lapse_view, **changes)


def test_the_model_sees_features_and_nothing_else():
    assert lapse_view.spine_names == ["customer_id", "event_time", "lapsed", "known_time"]
    assert lapse_view.feature_names == ["amount_sum_28d", "days_since_last_28d"]
    assert lapse_view.helper_names == ["country", "student"]


def test_helpers_do_not_count_for_the_look_back():
    far = replace(order_history, name="far", features=(Recency(days=300),))
    assert replace(lapse_view, helpers=(far,)).lookback_days == 28
    assert replace(lapse_view, features=(SPENT, far)).lookback_days == 300
    assert (
        replace(
            lapse_view, features=(replace(far, features=(*far.features, Recency(days=3))).select("days_since_last_3d"),)
        ).lookback_days
        == 3
    )


def test_a_group_that_is_taken_twice_is_one_group():
    view = replace(lapse_view, features=(SPENT, order_history.select("days_since_last_28d")))
    assert view.groups == (order_history, customer_profile)
    assert len(view.selections) == 3
    assert view.label.source == orders


def aged(**history):
    return replace(landed, history=replace(landed.history, **history))


def windowed(how, edges="[)", **history):
    return replace(aged(**history), features=(Windowed(how=how, window=timedelta(hours=3), edges=edges),))


plane_sizes = FeatureGroup(
    name="plane_sizes",
    description="Invented.",
    source=replace(
        customers,
        name="planes",
        columns=(Column("plane", Integer()), Column("seats", Integer()), Column("built_at", Timestamp())),
        key=("plane",),
    ),
    entity="plane",
    features=(Field(of="seats"),),
)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (
            aged(bound="<="),
            "'arr_delay' of 'landed' derives from the events that label 'delayed' predicts, and may see",
        ),
        (windowed(Mean(of="arr_delay"), "[]"), "derives from the events .* windows with an open end"),
        (windowed(Count(), "(]"), "derives from the events"),
        (replace(aged(bound="<="), features=(Exists(called="flew"),)), "'flew' of 'landed' derives from the events"),
        (
            aged(event_time=None),
            "'arr_delay' of 'landed' reads 'arr_delay', which is known at 'arrived_at', but its rows",
        ),
        (
            aged(event_time="booked_at"),
            r"are used before\. Use event_time='arrived_at' in its history, or a delay of 2",
        ),
        (windowed(Mean(of="arr_delay"), event_time=None), "reads 'arr_delay', which is known at 'arrived_at'"),
        (windowed(Last(of="arr_delay"), event_time=None), "reads 'arr_delay', which is known at 'arrived_at'"),
        (aged(event_time=None, delay=timedelta(hours=47)), "reads 'arr_delay', which is known at 'arrived_at'"),
        (aged(event_time="booked_at", delay=timedelta(days=2)), "reads 'arr_delay', which is known at 'arrived_at'"),
        (
            replace(
                aged(event_time=None),
                features=(Field(of="x"),),
                derived=(Derived(name="x", sql="ARR_DELAY", type=Integer()),),
            ),
            "'x' of 'landed' reads 'arr_delay', which is known at 'arrived_at'",
        ),
        (
            replace(
                landed,
                history=replace(landed.history, event_time="mine"),
                derived=(Derived(name="mine", sql="leaves_at", type=Timestamp()),),
            ),
            "reads 'arr_delay'",
        ),
        (
            replace(landed, features=(Field(of="arrived_at"),)),
            "'arrived_at' of 'landed' is a moment, which may lie after",
        ),
        (windowed(Last(of="arrived_at")), "'arrived_at_last_3h' of 'landed' is a moment"),
        (replace(plane_sizes, features=(Field(of="built_at"),)), "'built_at' of 'plane_sizes' is a moment"),
        (plane_sizes.select("seats").role(at="booked_at"), "'plane_sizes' has no time, so `at` means nothing"),
        (landed.select("arr_delay").role(at="origin"), "group 'landed' has no moment 'origin'"),
        (
            landed.select("arr_delay").role(at="known_time"),
            r"leaks: as of 'known_time' the outcome is known\. Drop `at`",
        ),
        (landed.select("arr_delay").role(on={"plane": "origin"}), "'origin' is VARCHAR here and BIGINT in 'landed'"),
        (
            landed.select("arr_delay").role(on={"plane": "tail"}),
            r"no column 'tail'; .*Say where to find it: \.role\(on=",
        ),
    ],
)
def test_a_view_that_leaks_or_cannot_be_joined_is_refused(features, message):
    with pytest.raises(DeclarationError, match=message):
        replace(delay_view, features=(features,))


@pytest.mark.parametrize(
    "features",
    [
        landed,
        windowed(Mean(of="arr_delay")),
        windowed(Mean(of="arr_delay"), "()"),
        windowed(Count(), event_time=None),
        aged(event_time=None, created="arrived_at"),
        aged(event_time=None, known=Mutations(known_from="arrived_at", known_to="booked_at")),
        aged(event_time=None, delay=timedelta(days=2)),
        replace(aged(event_time=None), features=(Field(of="origin", called="from_where"),)),
        replace(landed, source=replace(flights, name="radar"), history=History()),
        plane_sizes,
        replace(landed, history=None, features=(Total(days=7, of="arr_delay"),)),
    ],
)
def test_what_is_over_and_known_may_be_seen(features):
    view = replace(delay_view, features=(features,))
    assert view.feature_names[0] == "miles"
    assert len(view.feature_names) == 2


def test_when_it_became_known_counts_only_where_knowledge_is_per_row():
    recorded = aged(event_time=None, created="arrived_at")
    for mode in (ValidTime(), AsOf(moment=datetime(2024, 2, 1, tzinfo=UTC))):
        with pytest.raises(DeclarationError, match="reads 'arr_delay', which is known at 'arrived_at'"):
            replace(delay_view, features=(recorded,), knowledge=mode)
    lives = aged(event_time=None, known=Mutations(known_from="arrived_at", known_to="booked_at"))
    assert replace(delay_view, features=(lives,), knowledge=ValidTime()).knowledge == ValidTime()
    with pytest.raises(DeclarationError, match="reads 'arr_delay'"):
        replace(delay_view, features=(lives,), knowledge=AsOf(moment=datetime(2024, 2, 1, tzinfo=UTC)))


def test_an_event_at_the_very_moment_belongs_to_the_outcome_of_any_label():
    events = replace(order_history, features=(Exists(called="bought"),), history=History())
    with pytest.raises(
        DeclarationError, match="'bought' of 'order_history' derives from the events that label 'lapsed'"
    ):
        replace(lapse_view, features=(events,))
    assert replace(lapse_view, features=(replace(events, history=History(bound="<")),)).feature_names == ["bought"]


def test_the_outcome_is_no_key():
    by_outcome = replace(
        plane_sizes,
        entity="delayed",
        source=replace(plane_sizes.source, columns=(*plane_sizes.source.columns, Column("delayed", Boolean()))),
    )
    with pytest.raises(DeclarationError, match="leaks: it is found by 'delayed', which tells the outcome"):
        replace(delay_view, features=(by_outcome,))
    by_time = replace(plane_sizes, entity="built_at").select("seats").role(on={"built_at": "known_time"})
    with pytest.raises(DeclarationError, match="leaks: it is found by 'known_time', which tells the outcome"):
        replace(delay_view, features=(by_time,))


def test_as_of_one_moment_needs_groups_that_know():
    mode = AsOf(moment=datetime(2024, 2, 1, tzinfo=UTC))
    with pytest.raises(
        DeclarationError, match=r"'landed' does not record .* cannot be read as of 2024-02-01\. Declare"
    ):
        replace(delay_view, knowledge=mode)
    assert (
        replace(delay_view, features=(aged(known=Committed(since=date(2024, 1, 1))),), knowledge=mode).knowledge == mode
    )
    assert replace(delay_view, features=(plane_sizes,), knowledge=mode).knowledge == mode


def test_one_group_in_two_roles():
    sizes = plane_sizes.select("seats")
    before = replace(delayed, carried=("flight_id",), attributes=())
    view = replace(delay_view, label=before, features=(sizes, sizes.role("other_", on={"plane": "flight_id"})))
    assert list(view.joined) == ["seats", "other_seats"]
    assert view.groups == (plane_sizes,)
    assert [selection.keys for selection in view.selections] == [{"plane": "plane"}, {"plane": "flight_id"}]
    with pytest.raises(DeclarationError, match=r"has 'seats' from two places\. Give one of them a prefix"):
        replace(delay_view, features=(sizes, sizes.role(on={"plane": "flight_id"})))
    with pytest.raises(DeclarationError, match=r"has 'miles' from two places"):
        replace(delay_view, features=(replace(plane_sizes, features=(Field(of="seats", called="miles"),)),))


@pytest.mark.parametrize(
    ("role", "message"),
    [
        ({"prefix": "Other "}, "Prefix 'Other '"),
        ({"on": {"plan": "plane"}}, r"Feature group 'landed' has no key 'plan'\. Did you mean 'plane'\?"),
    ],
)
def test_a_wrong_role_cannot_be_made(role, message):
    with pytest.raises(DeclarationError, match=message):
        landed.select("arr_delay").role(**role)


def test_a_role_may_be_read_as_of_another_moment():
    view = replace(delay_view, features=(landed.select("arr_delay").role("booked_", at="booked_at"),))
    assert view.selections[0].at == "booked_at"
    assert view.columns[-1] == "booked_arr_delay"
